package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// Largest files that are read whole, in bytes: a model directory is foreign
// input.
const (
	maxConfig    = 8 << 20
	maxTokenizer = 128 << 20
)

// checkpoint is a Hugging Face style model directory.
type checkpoint struct {
	dir    string
	config modelConfig
	shards []string // base names of the safetensors files, sorted
}

// modelConfig is what the stand-in needs of config.json.
type modelConfig struct {
	Architectures []string        `json:"architectures"`
	ModelType     string          `json:"model_type"`
	DType         string          `json:"dtype"`
	TorchDType    string          `json:"torch_dtype"`
	Vocabulary    int64           `json:"vocab_size"`
	Hidden        int64           `json:"hidden_size"`
	Layers        int64           `json:"num_hidden_layers"`
	Heads         int64           `json:"num_attention_heads"`
	KVHeads       int64           `json:"num_key_value_heads"`
	HeadDim       int64           `json:"head_dim"`
	Context       int64           `json:"max_position_embeddings"`
	Tied          bool            `json:"tie_word_embeddings"`
	EOS           any             `json:"eos_token_id"` // a number or a list of numbers
	AutoMap       json.RawMessage `json:"auto_map"`
	Quantization  json.RawMessage `json:"quantization_config"`
	Vision        json.RawMessage `json:"vision_config"`
	Text          *modelConfig    `json:"text_config"`
}

// language is the part that describes the language model.
func (c *modelConfig) language() *modelConfig {
	if c.Text != nil {
		return c.Text
	}
	return c
}

// cacheBytes is the size of the KV cache for one token, in bytes. width is that
// of one element.
func (c *modelConfig) cacheBytes(width int64) int64 {
	l := c.language()
	kv, dim := l.KVHeads, l.HeadDim
	if kv == 0 {
		kv = l.Heads
	}
	if dim == 0 && l.Heads > 0 {
		dim = l.Hidden / l.Heads
	}
	return max(1, 2*l.Layers*kv*dim*width)
}

// ends says whether a token ends the text.
func (c *modelConfig) ends(token int) bool {
	switch eos := c.language().EOS.(type) {
	case float64:
		return int(eos) == token
	case []any:
		return slices.Contains(eos, any(float64(token)))
	}
	return false
}

// openCheckpoint reads the configuration of a model as vLLM's leader does: the
// weights are looked at later, by the worker.
func openCheckpoint(dir string) (*checkpoint, error) {
	path := filepath.Join(dir, "config.json")
	raw, err := readBounded(path, maxConfig)
	if err != nil {
		return nil, validation("ModelConfig", "Invalid repository ID or local directory specified: %s.\n"+
			"Please verify the following requirements:\n1. Provide a valid Hugging Face repository ID.\n"+
			"2. Specify a local directory that contains a recognized configuration file.", pythonString(dir))
	}
	c := &checkpoint{dir: dir}
	if err := json.Unmarshal(raw, &c.config); err != nil {
		return nil, raise("OSError", "It looks like the config file at %s is not a valid JSON file.", pythonString(path))
	}
	c.shards, err = findShards(dir)
	return c, err
}

// findShards lists the safetensors files; with an index, only those it names.
func findShards(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.safetensors"))
	if err != nil {
		return nil, err
	}
	var index struct {
		Files map[string]string `json:"weight_map"`
	}
	raw, err := readBounded(filepath.Join(dir, "model.safetensors.index.json"), maxConfig)
	if err == nil {
		err = json.Unmarshal(raw, &index)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("index of %s: %w", dir, err)
	}
	named := map[string]bool{}
	for _, file := range index.Files {
		named[file] = true
	}
	var shards []string
	for _, p := range paths {
		if base := filepath.Base(p); len(named) == 0 || named[base] {
			shards = append(shards, base)
		}
	}
	slices.Sort(shards)
	return shards, nil
}

// weightBytes is the size of all shards.
func (c *checkpoint) weightBytes() (total int64) {
	for _, s := range c.shards {
		if info, err := os.Stat(filepath.Join(c.dir, s)); err == nil {
			total += info.Size()
		}
	}
	return total
}

func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(raw)) > limit {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, limit)
	}
	return raw, err
}

// validation is pydantic's way to refuse a configuration: the reason stands on
// the second line.
func validation(class, format string, args ...any) error {
	return raise("pydantic_core._pydantic_core.ValidationError",
		"1 validation error for %s\n  Value error, %s [type=value_error, input_value=ArgsKwargs(()), input_type=ArgsKwargs]\n"+
			"    For further information visit https://errors.pydantic.dev/2.14/v/value_error", class, fmt.Sprintf(format, args...))
}
