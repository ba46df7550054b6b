package vllm

import (
	"strings"
	"testing"

	"github.com/loadoutdev/loadout/engine"
)

func TestCatalog(t *testing.T) {
	c := flags()
	if len(c.names) != 316 { // 318 arguments less the model and --help
		t.Errorf("%d flags", len(c.names))
	}
	kinds := map[Kind]int{}
	for _, f := range c.byName {
		kinds[f.Kind]++
		takes := f.Kind != KindSwitch && f.Kind != KindOnOnly
		if takes != (f.Type != "") {
			t.Errorf("%s: kind %s, type %q", f.Name, f.Kind, f.Type)
		}
	}
	if kinds[KindSwitch] != 88 || kinds[KindOnOnly] != 5 {
		t.Errorf("%v", kinds)
	}
	for name := range reserved {
		if c.byName[name] == nil {
			t.Errorf("reserved flag %s is not in the catalog", name)
		}
	}
	for name := range removed {
		if c.byName[name] != nil {
			t.Errorf("removed flag %s is in the catalog", name)
		}
	}
	if u := c.byName["gpu_memory_utilization"]; u.Default != 0.92 {
		t.Errorf("%+v", u)
	}
}

// What words writes, scan and value read back.
func TestWordsReadBack(t *testing.T) {
	tests := map[string]engine.Value{
		"enforce_eager": true, "enable_prefix_caching": false, "headless": true, "seed": int64(7), "max_logprobs": int64(-1),
		"gpu_memory_utilization": 0.9, "max_model_len": "25.6k", "kv_cache_memory_bytes": int64(1000), "dtype": "half",
		"limit_mm_per_prompt": map[string]any{"image": int64(2), "video": map[string]any{"count": int64(1)}},
		"ignore_patterns":     []any{"a", "b"}, "cudagraph_capture_sizes": []any{int64(1), int64(2)}, "middleware": []any{"a.b"},
		"hf_overrides": map[string]any{"x": 1.5}, "lora_modules": []any{"a=/a", map[string]any{"name": "b"}},
	}
	for name, v := range tests {
		words, err := flags().byName[name].words(v)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		given, stray := scan(words)
		if len(given) != 1 || len(stray) != 0 || given[0].path() != "args."+name || !engine.EqualValues(given[0].value(), v) {
			t.Errorf("%s: %q gives %+v, %q", name, words, given, stray)
		}
	}
}

func TestFields(t *testing.T) {
	argv := strings.Fields(`/venv/bin/python /venv/bin/vllm serve /m --served-model-name a b --host 0.0.0.0 --port=8000 --max_model_len 1k -tp 2
		--no-enable-prefix-caching --limit-mm-per-prompt.image 2 -O3 --api-key k1 k2 --future x y --override-generation-config {"top_k":5}`)
	c, ok := cut(argv, "/m")
	if !ok || c.model != "/m" {
		t.Fatal(c, ok)
	}
	fields := c.fields()
	want := map[string]engine.Value{
		"served_name": "a", "aliases": []any{"b"}, "host": "0.0.0.0", "port": int64(8000), "args.max_model_len": "1k",
		"args.tensor_parallel_size": int64(2), "args.enable_prefix_caching": false, "args.limit_mm_per_prompt.image": int64(2),
		"args.optimization_level": "3", "args.future": []any{"x", "y"}, "generation.top_k": int64(5), "facts.path": "/m",
	}
	for path, v := range want {
		if !engine.EqualValues(fields[path], v) {
			t.Errorf("%s is %#v, want %#v", path, fields[path], v)
		}
	}
	if len(fields) != len(want) {
		t.Errorf("%v", fields)
	}
	if shown := strings.Join(redact(argv), " "); strings.Contains(shown, "k1") || strings.Contains(shown, "k2") {
		t.Error(shown)
	}
}

func TestCut(t *testing.T) {
	tests := map[string]struct{ argv, model, want string }{
		"as launched":      {"vllm serve /m --port 1", "/m", "/m --port 1"},
		"wrapped":          {"sh run.sh /m --port 1", "/m", "/m --port 1"},
		"another model":    {"vllm serve /n --port 1", "/m", "/n --port 1"},
		"module":           {"python -m vllm.entrypoints.openai.api_server --port 1 --model /m --seed 1", "/m", "/m --port 1 --seed 1"},
		"no server at all": {"sleep 100", "/m", ""},
	}
	for name, tt := range tests {
		c, ok := cut(strings.Fields(tt.argv), tt.model)
		if got := strings.Join(c.words, " "); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestSize(t *testing.T) {
	for s, want := range map[string]int64{"512": 512, "1k": 1000, "1K": 1024, "25.6k": 25600, "2g": 2_000_000_000, "1G": 1 << 30, "-1": -1, "1M": 1 << 20} {
		if got, ok := Size(s); !ok || got != want {
			t.Errorf("%s: %d %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "k", "1.5", "1kk", "auto", "9999999999999999999", "99999999999T"} {
		if got, ok := Size(s); ok {
			t.Errorf("%s: %d", s, got)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add("--seed 7 -tp=2 --limit-mm-per-prompt.image 2 -O3 --x=y -- a")
	f.Fuzz(func(t *testing.T, line string) {
		words := strings.Split(line, " ")
		given, stray := scan(words)
		total := len(stray)
		for i := range given {
			total++
			_ = given[i].value()
			if given[i].path() == "" {
				t.Errorf("%q has no path", given[i].spelled)
			}
		}
		if total > len(words) {
			t.Errorf("%d words became %d", len(words), total)
		}
		commandLine{"m", append([]string{"m"}, words...)}.fields()
		redact(words)
	})
}
