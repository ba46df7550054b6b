package artifact

import (
	"maps"
	"slices"
	"strings"
)

// config is a model's config.json. Multimodal models keep what concerns the
// language model in an object of its own; older ones are flat.
type config struct {
	top    object
	levels []level // innermost first, top last
}

// level is one of the nested objects, and its path with a final dot.
type level struct {
	object
	path string
}

// place names file and key, as evidence does.
func (l level) place(key string) string { return "config.json: " + l.path + key }

// innerParts are the names under which language models are nested, outermost
// first (Qwen-Omni; most; InternVL; DeepSeek-VL).
var innerParts = []string{"thinker_config", "text_config", "llm_config", "language_config"}

func newConfig(top object) config {
	at := level{object: top}
	c := config{top: top, levels: []level{at}}
	for _, name := range innerParts {
		if part := at.object.object(name); part != nil {
			at = level{part, at.path + name + "."}
			c.levels = slices.Insert(c.levels, 0, at)
		}
	}
	return c
}

// isModel tells whether transformers would take the directory for a model.
func (c config) isModel() bool {
	return c.top.text("model_type") != "" || len(list(c.top["architectures"])) > 0
}

// lookup finds a value that is present and not null, innermost first.
func (c config) lookup(key string) (v any, place string) {
	for _, l := range c.levels {
		if v := l.object[key]; v != nil {
			return v, l.place(key)
		}
	}
	return nil, ""
}

// object is lookup for an object.
func (c config) object(key string) (object, string) {
	v, place := c.lookup(key)
	if m, ok := v.(map[string]any); ok {
		return m, place
	}
	return nil, ""
}

// architecture is the class that the server instantiates: the first of the
// outermost list. Without one, the model type is the best that is known.
func (c config) architecture() (name, place string) {
	for _, a := range list(c.top["architectures"]) {
		if s, ok := a.(string); ok && s != "" {
			return s, "config.json: architectures[0]"
		}
	}
	if s := c.top.text("model_type"); s != "" {
		return s, "config.json: model_type"
	}
	return "", ""
}

// dtypes abbreviates the element types of PyTorch.
var dtypes = map[string]string{
	"bfloat16": "bf16", "float16": "fp16", "half": "fp16", "float32": "fp32", "float": "fp32", "float64": "fp64",
	"float8_e4m3fn": "fp8",
}

// dtype is the type of unquantized weights: newer files say dtype, older ones
// torch_dtype; "auto" says nothing.
func (c config) dtype() (name, place string) {
	for _, key := range []string{"dtype", "torch_dtype"} {
		v, place := c.lookup(key)
		s, _ := v.(string)
		if name := dtypes[strings.TrimPrefix(s, "torch.")]; name != "" {
			return name, place
		}
	}
	return "", ""
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
