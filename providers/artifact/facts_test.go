package artifact

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func decoded(t *testing.T, text string) object {
	t.Helper()
	o, err := decodeObject([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestContextLength(t *testing.T) {
	for _, tc := range []struct {
		name, config string
		want         int64
	}{
		{"plain", `{"max_position_embeddings":40960}`, 40960},
		{"float", `{"max_position_embeddings":4096.0}`, 4096},
		{"old name", `{"n_positions":1024}`, 1024},
		{"smallest of several", `{"max_position_embeddings":131072,"seq_length":32768}`, 32768},
		{"null counts as absent", `{"max_position_embeddings":null,"seq_length":2048}`, 2048},
		{"nested wins", `{"max_position_embeddings":1,"text_config":{"max_position_embeddings":8192}}`, 8192},
		{"nested twice", `{"thinker_config":{"text_config":{"max_position_embeddings":32768}}}`, 32768},
		{"flat beside an empty part", `{"max_position_embeddings":512,"text_config":{}}`, 512},
		{"yarn", `{"max_position_embeddings":32768,"rope_scaling":{"type":"yarn","factor":4,"original_max_position_embeddings":32768}}`, 131072},
		{"yarn, stated length final", `{"max_position_embeddings":163840,"rope_scaling":{"type":"yarn","factor":40,"original_max_position_embeddings":4096}}`, 163840},
		{"yarn without original", `{"max_position_embeddings":4096,"rope_scaling":{"rope_type":"yarn","factor":2}}`, 8192},
		{"linear", `{"max_position_embeddings":4096,"rope_scaling":{"type":"linear","factor":2.5}}`, 10240},
		{"dynamic", `{"max_position_embeddings":4096,"rope_scaling":{"type":"dynamic","factor":2}}`, 8192},
		{"llama3", `{"max_position_embeddings":131072,"rope_scaling":{"rope_type":"llama3","factor":8}}`, 131072},
		{"longrope", `{"max_position_embeddings":131072,"rope_scaling":{"type":"longrope","factor":8}}`, 131072},
		{"mrope", `{"max_position_embeddings":128000,"rope_scaling":{"type":"mrope"}}`, 128000},
		{"gemma3", `{"model_type":"gemma3","text_config":{"max_position_embeddings":131072,"rope_scaling":{"rope_type":"linear","factor":8}}}`, 131072},
		{"rope_parameters", `{"max_position_embeddings":4096,"rope_parameters":{"rope_type":"linear","factor":2}}`, 8192},
		{"rope_parameters by layer", `{"max_position_embeddings":4096,"rope_parameters":{"full_attention":{"rope_type":"linear","factor":2},"sliding_attention":{"rope_type":"default"}}}`, 8192},
		{"absurd factor", `{"max_position_embeddings":4096,"rope_scaling":{"type":"linear","factor":1e300}}`, 4096},
		{"infinite", `{"max_position_embeddings":Infinity}`, 777},
		{"list", `{"max_position_embeddings":[1,2]}`, 777},
		{"negative", `{"max_position_embeddings":-1}`, 777},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newConfig(decoded(t, tc.config))
			got, place := c.contextLength(object{"model_max_length": float64(777)})
			if got != tc.want || place == "" {
				t.Errorf("got %d (%s), want %d", got, place, tc.want)
			}
		})
	}
	if n, _ := (newConfig(nil)).contextLength(object{"model_max_length": 1e30}); n != 0 {
		t.Errorf("unlimited tokenizer: %d", n)
	}
}

func TestQuantizationAndParameters(t *testing.T) {
	for _, tc := range []struct {
		name                  string
		config, modelopt, awq string
		tensors               []spec
		label, place          string
		parameters            int64
		unknown               bool
	}{
		{name: "none", config: `{"dtype":"float16"}`, tensors: []spec{{"w", "F16", []int64{4}}, {"ids", "I64", []int64{9}}},
			label: "fp16", place: "config.json: dtype", parameters: 4},
		{name: "prefix", config: `{"torch_dtype":"torch.bfloat16"}`, label: "bf16", place: "config.json: torch_dtype"},
		{name: "auto", config: `{"torch_dtype":"auto"}`},
		{name: "awq", config: `{"quantization_config":{"quant_method":"awq","w_bit":4}}`,
			tensors: []spec{{"a.qweight", "I32", []int64{8}}, {"a.qzeros", "I32", []int64{3}}, {"a.scales", "F16", []int64{3}}, {"n.weight", "F16", []int64{5}}},
			label:   "awq", place: "config.json: quantization_config.quant_method, 4 bits", parameters: 69},
		{name: "gptq of 3 bits", config: `{"quantization_config":{"quant_method":"gptq","bits":3}}`,
			tensors: []spec{{"a.qweight", "I32", []int64{3}}, {"a.g_idx", "I32", []int64{7}}},
			label:   "gptq", place: "config.json: quantization_config.quant_method, 3 bits", parameters: 32},
		{name: "gptq of unknown bits", config: `{"quantization_config":{"quant_method":"gptq"}}`,
			tensors: []spec{{"a.qweight", "I32", []int64{3}}}, label: "gptq",
			place: "config.json: quantization_config.quant_method", unknown: true},
		{name: "early awq", config: `{}`, awq: `{"w_bit":4}`, tensors: []spec{{"a.qweight", "I32", []int64{1}}},
			label: "awq", place: "quant_config.json: w_bit = 4", parameters: 8},
		{name: "fp8", config: `{"quantization_config":{"quant_method":"fp8"}}`,
			tensors: []spec{{"a.weight", "F8_E4M3", []int64{8}}, {"a.weight_scale_inv", "F32", []int64{2}}},
			label:   "fp8", place: "config.json: quantization_config.quant_method", parameters: 8},
		{name: "compressed-tensors", config: `{"quantization_config":{"quant_method":"compressed-tensors","config_groups":{"group_0":{"weights":{"num_bits":4}}}}}`,
			tensors: []spec{{"a.weight_packed", "I32", []int64{2}}, {"a.weight_shape", "I64", []int64{2}}, {"a.weight_scale", "BF16", []int64{2}}},
			label:   "compressed-tensors", place: "config.json: quantization_config.quant_method, 4 bits", parameters: 16},
		{name: "nested", config: `{"text_config":{"quantization_config":{"quant_method":"mxfp4"}}}`,
			tensors: []spec{{"e.gate_blocks", "U8", []int64{4}}, {"e.gate_scales", "U8", []int64{4}}, {"b", "BF16", []int64{1}}},
			label:   "mxfp4", place: "config.json: text_config.quantization_config.quant_method", parameters: 9},
		{name: "bitsandbytes", config: `{"quantization_config":{"quant_method":"bitsandbytes","load_in_4bit":true}}`,
			tensors: []spec{{"a.weight", "U8", []int64{4}}, {"a.weight.absmax", "U8", []int64{4}}, {"a.weight.quant_state.bitsandbytes__nf4", "U8", []int64{4}}},
			label:   "bitsandbytes", place: "config.json: quantization_config.quant_method, 4 bits", parameters: 8},
		{name: "modelopt", config: `{}`, modelopt: `{"quantization":{"quant_algo":"NVFP4"}}`,
			tensors: []spec{{"a.weight", "U8", []int64{4}}, {"a.weight_scale_2", "F32", []int64{1}}, {"a.input_scale", "F32", []int64{1}}},
			label:   "nvfp4", place: "hf_quant_config.json: quantization.quant_algo", parameters: 8},
		{name: "modelopt in config", config: `{"quantization_config":{"quant_method":"modelopt","quant_algo":"FP8"}}`,
			tensors: []spec{{"a.weight", "F8_E4M3", []int64{4}}},
			label:   "fp8", place: "config.json: quantization_config.quant_algo, 8 bits", parameters: 4},
		{name: "bytes of unknown meaning", config: `{}`, tensors: []spec{{"a.weight", "U8", []int64{4}}}, unknown: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			side := func(s string) object {
				if s == "" {
					return nil
				}
				return decoded(t, s)
			}
			q := newConfig(decoded(t, tc.config)).quantization(side(tc.modelopt), side(tc.awq))
			if q.label != tc.label || q.place != tc.place {
				t.Errorf("got %q from %q", q.label, q.place)
			}
			file := safetensors(tc.tensors...)
			total := tally{known: true, types: map[string]int64{}}
			if len(tc.tensors) > 0 {
				h, err := readHeader(strings.NewReader(file), int64(len(file)))
				if err != nil {
					t.Fatal(err)
				}
				total.add(h, q)
			}
			if total.known == tc.unknown || !tc.unknown && total.parameters != tc.parameters {
				t.Errorf("%d parameters, known %v", total.parameters, total.known)
			}
		})
	}
}

func TestElementTypeFromHeaders(t *testing.T) {
	a := one(t, map[string]string{
		"params.json": `{"dim":1}`, "tekken.json": "{}",
		"consolidated.safetensors": safetensors(spec{"a", "BF16", []int64{9}}, spec{"b", "F32", []int64{2}}),
	})
	if a.Quantization != "bf16" || a.Evidence["quantization"] != "consolidated.safetensors: header" || !a.Complete || a.Tokenizer != "tekken.json" {
		t.Errorf("got %+v", a)
	}
}

func TestCapabilities(t *testing.T) {
	const config = `{"architectures":["%"]}`
	arch := func(name string) string { return strings.ReplaceAll(config, "%", name) }
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"base", llama(), nil},
		{"chat", with(llama(), "chat_template.jinja", "{{ messages }}"), []string{"chat"}},
		{"all of a template", with(llama(), "chat_template.jinja", toolChat), []string{"chat", "reasoning", "tools"}},
		{"sentence transformer", with(llama(), "chat_template.jinja", toolChat, "modules.json", "[]"), []string{"embeddings"}},
		{"encoder", with(llama(), "config.json", arch("BertModel")), []string{"embeddings"}},
		{"chat model by name", with(llama(), "config.json", arch("InternVLChatModel")), nil},
		{"classifier", with(llama(), "config.json", arch("Qwen3ForSequenceClassification")), []string{"classify"}},
		{"whisper", with(llama(), "config.json", arch("WhisperForConditionalGeneration")), []string{"audio"}},
		{"audio encoder", with(llama(), "config.json", `{"model_type":"q","thinker_config":{"audio_config":{},"text_config":{}}}`), []string{"audio"}},
		{"image processor", with(llama(), "config.json", arch("LlavaForConditionalGeneration"),
			"preprocessor_config.json", `{"image_processor_type":"CLIP"}`), []string{"vision"}},
		{"draft layers", with(llama(), "config.json", `{"model_type":"d","num_nextn_predict_layers":1}`), []string{"speculative"}},
		{"no draft layers", with(llama(), "config.json", `{"model_type":"d","num_nextn_predict_layers":0}`), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := one(t, tc.files)
			got := slices.Sorted(maps.Keys(a.Capabilities))
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
			for _, c := range got {
				if a.Evidence["capabilities."+c] == "" {
					t.Errorf("%s without evidence", c)
				}
			}
		})
	}
}

func TestTemplatePrecedence(t *testing.T) {
	files := with(llama(), "tokenizer_config.json", `{"chat_template":"t"}`)
	for _, step := range []struct{ file, content, want string }{
		{"README.md", "-", " tokenizer_config.json"},
		{"chat_template.json", `{"chat_template":"p"}`, " chat_template.json"},
		{"chat_template.jinja", `j`, " chat_template.jinja"},
	} {
		files[step.file] = step.content
		if got := one(t, files).ChatTemplate; !strings.HasSuffix(got, step.want) || !strings.HasPrefix(got, "sha256:") {
			t.Errorf("with %s: %q", step.file, got)
		}
	}
	if got := one(t, with(llama(), "tokenizer_config.json", `{"chat_template":[{"name":"rag","template":"r"},{"name":"tool_use","template":"t"}]}`)).ChatTemplate; got != "" {
		t.Errorf("no default among the named ones: %q", got)
	}
}

func TestLicense(t *testing.T) {
	for text, want := range map[string]string{
		"---\nlicense: mit\n---\n":                              "mit",
		"---\r\nlicense: \"mit\"\r\n---\r\n":                    "mit",
		"---\nlicense:\n- apache-2.0\ntags:\n- x\n---":          "apache-2.0",
		"---\nlicense: [llama3.1]\n---":                         "llama3.1",
		"---\nlicense_name: qwen-research\nlicense: other\n---": "qwen-research",
		"---\nlanguage: en\n---\nlicense: mit\n":                "",
		"license: mit\n":                                        "",
		"":                                                      "",
		"---\nlicense:":                                         "",
		"---\nlicense: " + strings.Repeat("x", 200) + "\n---\n": "",
		"---\nmodel-index:\n  license: nested-is-not-ours\nlicense: mit\n---": "mit",
	} {
		if got := frontMatterLicense([]byte(text)); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestRevisionOfPlainDirectory(t *testing.T) {
	const books = ".cache/huggingface/download/"
	same := with(llama(), books+"a.metadata", commitA+"\n", books+"sub/b.metadata", commitA+"\ne\n1\n")
	if a := one(t, same); a.Revision != commitA {
		t.Errorf("all agree: %q", a.Revision)
	}
	for name, third := range map[string]string{"another commit": commitB + "\n", "no commit": "x\n", "empty": "\n"} {
		if a := one(t, with(maps.Clone(same), books+"c.metadata", third)); a.Revision != "" || a.Evidence["revision"] != "" {
			t.Errorf("%s: %q", name, a.Revision)
		}
	}
}

func TestLenientJSON(t *testing.T) {
	got := decoded(t, "\xef\xbb\xbf"+`{"a":NaN,"b":[-Infinity,Infinity,-1],"c":"NaN \" Infinity","d":{"e":NaN}}`)
	want := object{"a": nil, "b": []any{nil, nil, -1.0}, "c": `NaN " Infinity`, "d": map[string]any{"e": nil}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{"", "null", "[]", "7", `{"a":`, `{"a":"`, `{"a":"\`, `{"a":Nan}`} {
		if _, err := decodeObject([]byte(bad)); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
