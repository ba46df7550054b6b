package artifact

import "strings"

// contextKeys are the names under which models keep the number of positions
// they were built for. vLLM takes the smallest of those that are present.
var contextKeys = []string{
	"max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "model_max_length",
	"max_sequence_length", "max_seq_length", "seq_len", "max_target_positions",
}

// maxContext is beyond any model: above it, a product of factors is nonsense.
const maxContext = 1 << 40

// contextLength is the longest context a server derives from config.json, in
// tokens, after rope scaling; 0 when unknown. tokenizer is tokenizer_config.json,
// whose model_max_length is the fallback.
func (c config) contextLength(tokenizer object) (tokens int64, place string) {
	for _, l := range c.levels {
		for _, key := range contextKeys {
			if n := l.number(key); n > 0 && (tokens == 0 || n < tokens) {
				tokens, place = n, l.place(key)
			}
		}
		if tokens > 0 {
			return c.scaled(tokens, place)
		}
	}
	if n := tokenizer.number("model_max_length"); n > 0 && n <= 1e9 {
		return n, "tokenizer_config.json: model_max_length"
	}
	return 0, ""
}

// scaled applies rope scaling the way vLLM does: yarn multiplies the original
// length, linear and dynamic multiply the stated one; for every other type
// (llama3, longrope, su, mrope, default) the stated length is final already.
func (c config) scaled(tokens int64, place string) (int64, string) {
	rope, ropePlace := c.rope()
	base := tokens
	switch kind := rope.text("rope_type") + rope.text("type"); {
	case strings.Contains(kind, "yarn"):
		if n := rope.number("original_max_position_embeddings"); n > 0 {
			base = n
		}
	case strings.HasPrefix(kind, "linear"), strings.HasPrefix(kind, "dynamic"):
		if strings.Contains(c.top.text("model_type"), "gemma3") {
			return tokens, place // its stated length includes the factor
		}
	default:
		return tokens, place
	}
	if n := float64(base) * rope.factor("factor"); n < maxContext {
		tokens = int64(n)
	}
	return tokens, place + ", " + strings.TrimPrefix(ropePlace, "config.json: ")
}

// rope finds the scaling object: rope_scaling, or rope_parameters since
// transformers 5, which may hold one object for each kind of layer.
func (c config) rope() (object, string) {
	rope, place := c.object("rope_scaling")
	if rope == nil {
		rope, place = c.object("rope_parameters")
	}
	if full := rope.object("full_attention"); full != nil {
		return full, place + ".full_attention"
	}
	return rope, place
}
