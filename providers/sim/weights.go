package sim

import (
	"errors"
	goflag "flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// Weights describes a tiny model. The zero value is a model of two layers that
// says "hello from the stand-in".
type Weights struct {
	Words   string // what it says, whatever the prompt, before it ends
	Layers  int    // decoder layers; default 2
	Context int    // max_position_embeddings, tokens; default 2048
	Filler  int    // MiB of zeros in the feed-forward matrices, to make it large
	Shards  int    // safetensors files; default 1, which has no index
}

// Shape of the tiny model. A head is 32 wide because vLLM's attention on CPU
// takes no smaller one.
const (
	width    = 64
	heads    = 2
	kvHeads  = 1
	headDim  = width / heads
	minInner = 128 // width of the feed-forward layer without filler
	specials = 3   // <unk>, <s>, </s>
	endToken = 2
)

// WriteWeights writes a real llama model in Hugging Face's layout into dir,
// which is made if missing: config.json, safetensors in F16, tokenizer.json
// (byte-level BPE), tokenizer_config.json with a chat template, and
// generation_config.json. vLLM and Ollama serve it, and it answers every prompt
// with Words. Equal options give equal bytes.
//
// The layers are zeros, so that a prompt's last token alone decides: it points
// to the first word, each word to the next one, the last word to the end.
func WriteWeights(dir string, o Weights) error {
	o = o.withDefaults()
	vocabulary, chain, err := o.vocabulary()
	if err != nil {
		return fmt.Errorf("weights in %s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("weights in %s: %w", dir, err)
	}
	return errors.Join(
		o.writeTensors(dir, len(vocabulary), chain),
		writeJSON(dir, "config.json", o.config(len(vocabulary))),
		writeJSON(dir, "tokenizer.json", tokenizerDocument(vocabulary)),
		writeJSON(dir, "tokenizer_config.json", tokenizerConfig()),
		writeJSON(dir, "generation_config.json", map[string]any{"bos_token_id": 1, "eos_token_id": endToken}),
	)
}

func (o Weights) withDefaults() Weights {
	if strings.TrimSpace(o.Words) == "" {
		o.Words = "hello from the stand-in"
	}
	o.Layers = orDefault(o.Layers, 2)
	o.Context = orDefault(o.Context, 2048)
	o.Shards = orDefault(o.Shards, 1)
	return o
}

func orDefault(n, fallback int) int {
	if n <= 0 {
		return fallback
	}
	return n
}

// inner is the width of the feed-forward layer: three matrices a layer of two
// bytes an element hold the filler.
func (o Weights) inner() int {
	perUnit := 3 * width * 2 * o.Layers
	return max(minInner, o.Filler<<20/perUnit/32*32)
}

// vocabulary lists all tokens and the ids of the spoken ones in order.
func (o Weights) vocabulary() (tokens []string, chain []int, err error) {
	tokens = []string{"<unk>", "<s>", "</s>"}
	alphabet := byteAlphabet()
	for _, r := range alphabet {
		tokens = append(tokens, string(r))
	}
	tokens = append(tokens, "he") // the one merge that a BPE must have
	spoken := distinct(strings.Fields(o.Words), alphabet)
	if len(spoken) >= width {
		return nil, nil, fmt.Errorf("%d words are too many: at most %d", len(spoken), width-1)
	}
	for _, s := range spoken {
		chain = append(chain, len(tokens))
		tokens = append(tokens, s)
	}
	return tokens, chain, nil
}

// distinct makes one token a word, and joins a word that was there before with
// its successors: each token has exactly one follower.
func distinct(words []string, alphabet [256]rune) []string {
	seen, open := map[string]bool{}, ""
	var out []string
	for _, w := range words {
		for _, b := range []byte(" " + w) {
			open += string(alphabet[b])
		}
		if !seen[open] {
			seen[open] = true
			out, open = append(out, open), ""
		}
	}
	if open != "" { // a repeated word at the end belongs to the one before it
		out[len(out)-1] += open
	}
	return out
}

func (o Weights) config(vocabulary int) map[string]any {
	return map[string]any{
		"architectures": []string{"LlamaForCausalLM"}, "model_type": "llama", "torch_dtype": "float16",
		"vocab_size": vocabulary, "hidden_size": width, "intermediate_size": o.inner(),
		"num_hidden_layers": o.Layers, "num_attention_heads": heads, "num_key_value_heads": kvHeads, "head_dim": headDim,
		"max_position_embeddings": o.Context, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
		"bos_token_id": 1, "eos_token_id": endToken, "tie_word_embeddings": false,
	}
}

func tokenizerDocument(tokens []string) map[string]any {
	vocabulary, added := map[string]int{}, []map[string]any{}
	for id, t := range tokens {
		vocabulary[t] = id
		if id < specials {
			added = append(added, map[string]any{"id": id, "content": t, "single_word": false,
				"lstrip": false, "rstrip": false, "normalized": false, "special": true})
		}
	}
	bytes := map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}
	return map[string]any{"version": "1.0", "added_tokens": added, "pre_tokenizer": bytes, "decoder": bytes,
		"model": map[string]any{"type": "BPE", "vocab": vocabulary, "merges": []string{"h e"}}}
}

func tokenizerConfig() map[string]any {
	return map[string]any{"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
		"chat_template": "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:"}
}

// part is one tensor to write: zeros but for some elements.
type part struct {
	name  string
	shape []int
	fill  float32         // value of all elements
	some  map[int]float32 // exceptions, by index
}

func (p part) bytes() int64 {
	n := int64(2)
	for _, s := range p.shape {
		n *= int64(s)
	}
	return n
}

func (o Weights) parts(vocabulary int, chain []int) []part {
	embed, head := map[int]float32{}, map[int]float32{chain[0] * width: 8}
	for t := range vocabulary {
		embed[t*width] = 1
	}
	for i, t := range chain {
		delete(embed, t*width)
		embed[t*width+i+1] = 1
		follower := endToken
		if i+1 < len(chain) {
			follower = chain[i+1]
		}
		head[follower*width+i+1] = 8
	}
	all := []part{{"model.embed_tokens.weight", []int{vocabulary, width}, 0, embed}}
	for l := range o.Layers {
		all = append(all, layerParts(fmt.Sprintf("model.layers.%d.", l), o.inner())...)
	}
	return append(all, part{"model.norm.weight", []int{width}, 1, nil},
		part{"lm_head.weight", []int{vocabulary, width}, 0, head})
}

func layerParts(prefix string, inner int) []part {
	zero := func(name string, rows, columns int) part {
		return part{prefix + name + ".weight", []int{rows, columns}, 0, nil}
	}
	one := func(name string) part { return part{prefix + name + ".weight", []int{width}, 1, nil} }
	return []part{
		one("input_layernorm"), one("post_attention_layernorm"),
		zero("self_attn.q_proj", width, width), zero("self_attn.k_proj", kvHeads*headDim, width),
		zero("self_attn.v_proj", kvHeads*headDim, width), zero("self_attn.o_proj", width, width),
		zero("mlp.gate_proj", inner, width), zero("mlp.up_proj", inner, width), zero("mlp.down_proj", width, inner),
	}
}

// weights is the command `weights DIR [flags]`.
func weights(args []string, stdout, stderr io.Writer) int {
	var o Weights
	set := goflag.NewFlagSet("loadout sim weights DIR", goflag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(&o.Words, "words", "", "what the model `says`")
	set.IntVar(&o.Layers, "layers", 2, "decoder `layers`")
	set.IntVar(&o.Context, "context", 2048, "context length in `tokens`")
	set.IntVar(&o.Filler, "filler", 0, "`MiB` of zeros to make it large")
	set.IntVar(&o.Shards, "shards", 1, "number of safetensors `files`")
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		set.Usage()
		return exitUsage
	}
	if err := set.Parse(args[1:]); err != nil || set.NArg() > 0 {
		return exitUsage
	}
	if err := WriteWeights(args[0], o); err != nil {
		fmt.Fprintln(stderr, "loadout sim:", err)
		return exitFailure
	}
	fmt.Fprintf(stdout, "wrote a tiny model to %s\n", args[0])
	return exitOK
}
