package artifact

import "strings"

// Marks of abilities in a chat template (Jinja). They are suggestions: a model
// block's capabilities override what is found here.
var (
	toolMarks      = []string{"<tool_call>", "tool_call", "[TOOL_CALLS]", "tools"}
	reasoningMarks = []string{"<think>", "enable_thinking", "reasoning_content", "<|channel|>", "[THINK]"}
)

// visionKeys and audioKeys in config.json mark a model with such an encoder.
var (
	visionKeys = []string{"vision_config", "image_token_id", "image_token_index"}
	audioKeys  = []string{"audio_config"}
	draftKeys  = []string{"num_nextn_predict_layers", "mtp_num_hidden_layers"}
)

// clues are what capabilities are inferred from.
type clues struct {
	config       config
	architecture string
	processor    object // preprocessor_config.json
	template     chatTemplate
	pooling      string // file that makes it a sentence-transformers model
}

// capabilities maps each ability to the file and key that speak for it. What
// nothing speaks for is absent: unknown, not false.
func (c clues) capabilities() map[string]string {
	found := map[string]string{}
	note := func(ability, place string) {
		if place != "" && found[ability] == "" {
			found[ability] = place
		}
	}
	note("vision", c.firstKey(visionKeys))
	note("audio", c.firstKey(audioKeys))
	note("speculative", c.draft())
	if c.processor.text("image_processor_type") != "" && strings.HasSuffix(c.architecture, "ForConditionalGeneration") {
		note("vision", "preprocessor_config.json: image_processor_type")
	}
	if c.processor.text("feature_extractor_type") != "" {
		note("audio", "preprocessor_config.json: feature_extractor_type")
	}
	if strings.HasPrefix(c.architecture, "Whisper") {
		note("audio", architecturePlace)
	}
	c.use(note)
	return found
}

const architecturePlace = "config.json: architectures[0]"

// use tells what one asks the model for: vectors, a class, or a conversation.
func (c clues) use(note func(ability, place string)) {
	switch {
	case c.pooling != "":
		note("embeddings", c.pooling)
	case strings.HasSuffix(c.architecture, "ForSequenceClassification"):
		note("classify", architecturePlace)
	case c.template.text != "":
		note("chat", c.template.file)
		note("tools", c.mark(toolMarks))
		note("reasoning", c.mark(reasoningMarks))
	case strings.HasSuffix(c.architecture, "Model") && !strings.HasSuffix(c.architecture, "LMModel") &&
		!strings.HasSuffix(c.architecture, "ChatModel"):
		note("embeddings", architecturePlace)
	}
}

// mark finds the first of the marks in the template.
func (c clues) mark(marks []string) string {
	for _, m := range marks {
		if strings.Contains(c.template.text, m) {
			return c.template.file + ": " + m
		}
	}
	return ""
}

func (c clues) firstKey(keys []string) string {
	for _, key := range keys {
		if _, place := c.config.lookup(key); place != "" {
			return place
		}
	}
	return ""
}

// draft finds layers that predict further tokens (multi-token prediction).
func (c clues) draft() string {
	for _, key := range draftKeys {
		if v, place := c.config.lookup(key); whole(v) > 0 {
			return place
		}
	}
	return ""
}
