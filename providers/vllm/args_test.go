package vllm

import (
	"slices"
	"strings"
	"testing"

	"github.com/loadoutdev/loadout/engine"
)

func spec(edit func(*engine.Model)) *engine.Model {
	m := &engine.Model{Name: "qwen", Served: true, Spec: engine.Spec{
		Source: "file:///models/qwen", ServedName: "qwen", Backend: "vllm", Host: "127.0.0.1", Port: 24001,
	}}
	if edit != nil {
		edit(m)
	}
	return m
}

const stem = "vllm serve /models/qwen --served-model-name qwen --host 127.0.0.1 --port 24001"

func TestRenderArgv(t *testing.T) {
	tests := map[string]struct {
		edit func(*engine.Model)
		want string // words separated by blanks
	}{
		"bare": {nil, stem},
		"the bug that started the project": {func(m *engine.Model) {
			m.Args = map[string]any{"max_model_len": int64(4096), "enforce_eager": true, "trust_remote_code": true}
		}, stem + " --enforce-eager --max-model-len 4096 --trust-remote-code"},
		"false is the negative flag": {func(m *engine.Model) {
			m.Args = map[string]any{"enable_prefix_caching": false, "headless": nil}
		}, stem + " --no-enable-prefix-caching"},
		"floats, sizes, negative": {func(m *engine.Model) {
			m.Args = map[string]any{"gpu_memory_utilization": 0.85, "watermark": int64(1), "max_model_len": int64(-1), "kv_cache_memory_bytes": "2g", "max_logprobs": int64(-1)}
		}, stem + " --gpu-memory-utilization 0.85 --kv-cache-memory-bytes 2g --max-logprobs=-1 --max-model-len=-1 --watermark 1"},
		"objects are JSON with sorted keys": {func(m *engine.Model) {
			m.Args = map[string]any{"limit_mm_per_prompt": map[string]any{"video": int64(0), "image": int64(2)}, "allowed_origins": []any{"*"}, "hf_overrides": "x"}
		}, stem + ` --allowed-origins ["*"] --hf-overrides x --limit-mm-per-prompt {"image":2,"video":0}`},
		"lists are several words": {func(m *engine.Model) {
			m.Args = map[string]any{"cudagraph_capture_sizes": []any{int64(1), int64(2)}, "middleware": []any{"a.b", "c.d"}, "ignore_patterns": "x",
				"lora_modules": []any{"a=/a", map[string]any{"name": "b", "path": "/b"}}}
		}, stem + ` --cudagraph-capture-sizes 1 2 --ignore-patterns x --lora-modules a=/a {"name":"b","path":"/b"} --middleware=a.b --middleware=c.d`},
		"aliases, each name once": {func(m *engine.Model) { m.Aliases = []string{"chat", "qwen", "chat"} },
			strings.Replace(stem, "name qwen", "name qwen chat", 1)},
		"facts know the path":   {func(m *engine.Model) { m.Source, m.Facts.Path = "hf://org/qwen@abc", "/models/qwen" }, stem},
		"hugging face":          {func(m *engine.Model) { m.Source = "hf://org/qwen" }, strings.Replace(stem, "/models/qwen", "org/qwen", 1)},
		"hugging face revision": {func(m *engine.Model) { m.Source = "hf://org/qwen@abc" }, strings.Replace(stem, "/models/qwen", "org/qwen --revision abc", 1)},
		"command, generation, template, extra": {func(m *engine.Model) {
			m.Command = []string{"python3", "-m", "x", "serve"}
			m.Generation = map[string]any{"top_p": 0.8, "temperature": 0.7}
			m.ChatTemplate = "{{ x }}"
			m.ExtraArgs = []string{"--seed", "7", "-tp=1", "-O3", "--limit-mm-per-prompt.image", "2", "--limit-mm-per-prompt.video", "0"}
		}, strings.Replace(stem, "vllm serve", "python3 -m x serve", 1) +
			` --override-generation-config {"temperature":0.7,"top_p":0.8} --chat-template ${LAUNCH_DIR}/chat_template.jinja --seed 7 -tp=1 -O3 --limit-mm-per-prompt.image 2 --limit-mm-per-prompt.video 0`},
	}
	for name, tt := range tests {
		l, problems := New().Render(spec(tt.edit), engine.RenderEnv{})
		if got := strings.Join(l.Argv, " "); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, tt.want)
		}
		if len(problems) > 0 {
			t.Errorf("%s: %+v", name, problems)
		}
	}
}

func TestRenderLaunch(t *testing.T) {
	m := spec(func(m *engine.Model) {
		m.GPUs, m.Host, m.ChatTemplate = []string{"0", "1"}, "0.0.0.0", "{{ x }}"
		m.Source = "hf://org/qwen@abc"
		m.Args = map[string]any{"ssl_certfile": "/c.pem"}
	})
	l, problems := New().Render(m, engine.RenderEnv{GPUs: []engine.GPU{{ID: "0", UUID: "GPU-a"}, {ID: "1"}}})
	if len(problems) > 0 {
		t.Error(problems)
	}
	if !slices.Equal(l.GPUs, []string{"GPU-a", "1"}) || l.URL != "https://127.0.0.1:24001" || l.Artifact != "abc" || l.Model != "org/qwen" {
		t.Errorf("%+v", l)
	}
	if len(l.Files) != 1 || l.Files[0].Name != templateFile || len(l.Files[0].SHA256) != 64 || string(l.Files[0].Content) != "{{ x }}" {
		t.Errorf("%+v", l.Files)
	}
}

func TestRenderProblems(t *testing.T) {
	arg := func(key string, v any) func(*engine.Model) {
		return func(m *engine.Model) { m.Args = map[string]any{key: v} }
	}
	extra := func(words ...string) func(*engine.Model) { return func(m *engine.Model) { m.ExtraArgs = words } }
	tests := map[string]struct {
		edit       func(*engine.Model)
		code, path string
		says       string // somewhere in summary or detail
	}{
		"typo":                   {arg("max_model_length", int64(1)), "unknown_argument", "args.max_model_length", `"max_model_len"`},
		"short name":             {arg("tp", int64(1)), "unknown_argument", "args.tp", `"tensor_parallel_size"`},
		"other long name":        {arg("device_memory_utilization", 0.5), "unknown_argument", "args.device_memory_utilization", `"gpu_memory_utilization"`},
		"hyphens":                {arg("max-model-len", int64(1)), "unknown_argument", "args.max-model-len", `"max_model_len"`},
		"abbreviation":           {arg("max_model_l", int64(1)), "unknown_argument", "args.max_model_l", `"max_model_len"`},
		"negated key":            {arg("no_enforce_eager", true), "unknown_argument", "args.no_enforce_eager", "enforce_eager = false"},
		"removed":                {arg("swap_space", int64(4)), "removed_argument", "args.swap_space", "removed in vLLM 0.18"},
		"removed task":           {arg("task", "generate"), "removed_argument", "args.task", "runner"},
		"port":                   {arg("port", int64(1)), "reserved_argument", "args.port", "serve block"},
		"api key":                {arg("api_key", "k"), "reserved_argument", "args.api_key", "VLLM_API_KEY"},
		"secret":                 {arg("tokenizer", engine.NewSecret("a", "b")), "sensitive_argument", "args.tokenizer", "env"},
		"not a bool":             {arg("enforce_eager", "yes"), "wrong_type", "args.enforce_eager", "true or false"},
		"no negation":            {arg("disable_log_stats", false), "wrong_type", "args.disable_log_stats", "null"},
		"not a number":           {arg("seed", "x"), "wrong_type", "args.seed", "whole number"},
		"not whole":              {arg("seed", 1.5), "wrong_type", "args.seed", "whole number"},
		"not a float":            {arg("watermark", "x"), "wrong_type", "args.watermark", "a number"},
		"not a size":             {arg("max_model_len", "abc"), "wrong_type", "args.max_model_len", "32k"},
		"negative size":          {arg("max_num_batched_tokens", int64(-5)), "out_of_range", "args.max_num_batched_tokens", "more than 0"},
		"no context":             {arg("max_model_len", int64(0)), "out_of_range", "args.max_model_len", "auto"},
		"no GPU":                 {arg("tensor_parallel_size", int64(0)), "out_of_range", "args.tensor_parallel_size", "at least 1"},
		"not a string":           {arg("tokenizer", true), "wrong_type", "args.tokenizer", "a string"},
		"list for one value":     {arg("tokenizer", []any{"a"}), "wrong_type", "args.tokenizer", "a string"},
		"not an object":          {arg("limit_mm_per_prompt", int64(4)), "wrong_type", "args.limit_mm_per_prompt", "an object"},
		"old object syntax":      {arg("limit_mm_per_prompt", "image=4"), "wrong_type", "args.limit_mm_per_prompt", "no JSON"},
		"empty list":             {arg("ignore_patterns", []any{}), "wrong_type", "args.ignore_patterns", "empty"},
		"flag in a list":         {arg("ignore_patterns", []any{"--x"}), "wrong_type", "args.ignore_patterns", "for a flag"},
		"bad choice":             {arg("dtype", "flot16"), "bad_choice", "args.dtype", `"float16"`},
		"bad number choice":      {arg("max_lora_rank", int64(7)), "bad_choice", "args.max_lora_rank", "8"},
		"extra repeats args":     {func(m *engine.Model) { arg("seed", int64(1))(m); extra("--seed", "7")(m) }, "duplicate_argument", "extra_args", "args.seed instead"},
		"both forms":             {func(m *engine.Model) { arg("enforce_eager", true)(m); extra("--no-enforce-eager")(m) }, "duplicate_argument", "extra_args", "args.enforce_eager"},
		"short form repeats":     {func(m *engine.Model) { arg("tensor_parallel_size", int64(1))(m); extra("-tp", "2")(m) }, "duplicate_argument", "extra_args", "args.tensor_parallel_size"},
		"twice in extra":         {extra("--seed", "7", "--seed=8"), "duplicate_argument", "extra_args", "twice"},
		"extra sets the port":    {extra("--port", "1"), "reserved_argument", "extra_args", "serve block"},
		"extra with underscores": {extra("--served_model_name", "x"), "reserved_argument", "extra_args", "served_name"},
		"extra abbreviation":     {extra("--max-m", "5"), "abbreviated_argument", "extra_args", "--max-model-len"},
		"extra ambiguous":        {extra("--max-l", "5"), "unknown_argument", "extra_args", "passed on"},
		"extra unique prefix":    {extra("--max-model-l", "5"), "abbreviated_argument", "extra_args", "--max-model-len"},
		"extra removed":          {extra("--swap-space", "5"), "removed_argument", "extra_args", "0.18"},
		"extra stray":            {extra("x"), "stray_argument", "extra_args", `"x"`},
		"extra second value":     {extra("--seed", "7", "8"), "stray_argument", "extra_args", `"8"`},
		"extra end of flags":     {extra("--", "x"), "stray_argument", "extra_args", "--"},
		"extra without value":    {extra("--seed"), "wrong_type", "extra_args", "no value"},
		"extra with value":       {extra("--enforce-eager=true"), "wrong_type", "extra_args", "no value"},
		"extra wrong type":       {extra("--seed", "abc"), "wrong_type", "extra_args", "whole number"},
		"extra bad choice":       {extra("--dtype", "int3"), "wrong_type", "extra_args", "int3"},
		"template twice":         {func(m *engine.Model) { m.ChatTemplate = "{{x}}"; arg("chat_template", "/x")(m) }, "reserved_argument", "args.chat_template", "already"},
		"generation twice": {func(m *engine.Model) {
			m.Generation = map[string]any{"top_k": int64(1)}
			extra("--override-generation-config", "{}")(m)
		}, "reserved_argument", "extra_args", "already"},
		"revision twice":      {func(m *engine.Model) { m.Source = "hf://a/b@c"; arg("revision", "d")(m) }, "duplicate_argument", "args.revision", "source"},
		"no port":             {func(m *engine.Model) { m.Port = 0 }, "port_missing", "port", `serve "qwen"`},
		"port too high":       {func(m *engine.Model) { m.Port = 80000 }, "wrong_type", "port", "65535"},
		"no source":           {func(m *engine.Model) { m.Source = "" }, "source_missing", "source", "source"},
		"ollama source":       {func(m *engine.Model) { m.Source = "ollama://x" }, "source_unsupported", "source", "ollama://x"},
		"empty variable":      {func(m *engine.Model) { m.Env = map[string]any{"": "x"} }, "env_name", `env[""]`, "no name"},
		"variable with =":     {func(m *engine.Model) { m.Env = map[string]any{"A=B": "x"} }, "env_name", `env["A=B"]`, `no "="`},
		"variable with blank": {func(m *engine.Model) { m.Env = map[string]any{"A B": "x"} }, "env_name", `env["A B"]`, "no blank"},
		"NUL in a value":      {func(m *engine.Model) { m.Env = map[string]any{"A": "x\x00y"} }, "env_value", "env.A", "NUL"},
		"NUL in a secret":     {func(m *engine.Model) { m.Env = map[string]any{"A": engine.NewSecret("w", "x\x00")} }, "env_value", "env.A", "NUL"},
		"name like a flag":    {func(m *engine.Model) { m.ServedName = "-qwen" }, "served_name", "served_name", "flag"},
		"alias like a flag":   {func(m *engine.Model) { m.Aliases = []string{"chat", "--port"} }, "served_name", "aliases", "flag"},
		"alias of two lines":  {func(m *engine.Model) { m.Aliases = []string{"a\nb"} }, "served_name", "aliases", "one line"},
		"reserved variable":   {func(m *engine.Model) { m.Env = map[string]any{"TMPDIR": "/x"} }, "reserved_variable", "env.TMPDIR", "temporary"},
		"VLLM_PORT":           {func(m *engine.Model) { m.Env = map[string]any{"VLLM_PORT": "1"} }, "reserved_variable", "env.VLLM_PORT", "port"},
		"CUDA and gpus": {func(m *engine.Model) {
			m.Env, m.GPUs = map[string]any{"CUDA_VISIBLE_DEVICES": "1"}, []string{"0"}
		}, "reserved_variable", "env.CUDA_VISIBLE_DEVICES", "gpus"},
		"too few gpus":     {func(m *engine.Model) { m.GPUs = []string{"0"}; arg("tensor_parallel_size", int64(2))(m) }, "not_enough_gpus", "args.tensor_parallel_size", "2 GPUs"},
		"tools, no parser": {arg("enable_auto_tool_choice", true), "missing_argument", "args.enable_auto_tool_choice", "tool_call_parser"},
	}
	for name, tt := range tests {
		_, problems := New().Render(spec(tt.edit), engine.RenderEnv{})
		i := slices.IndexFunc(problems, func(p engine.Problem) bool { return p.Code == tt.code })
		if i < 0 {
			t.Errorf("%s: no problem %s: %+v", name, tt.code, problems)
			continue
		}
		p := problems[i]
		wantError := name != "extra ambiguous" // an unknown flag in extra_args is only a warning
		if p.Path != tt.path || p.Model != "qwen" || (p.Severity == engine.SeverityError) != wantError || !strings.Contains(p.Summary+" "+p.Detail, tt.says) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestRenderWarnings(t *testing.T) {
	tests := map[string]struct {
		edit func(*engine.Model)
		code string // empty: none
	}{
		"too long": {func(m *engine.Model) {
			m.Facts.ContextLength, m.Args = 2048, map[string]any{"max_model_len": "4k"}
		}, "context_too_long"},
		"allowed": {func(m *engine.Model) {
			m.Facts.ContextLength, m.Args = 2048, map[string]any{"max_model_len": int64(4096)}
			m.Env = map[string]any{"VLLM_ALLOW_LONG_MAX_MODEL_LEN": "1"}
		}, ""},
		"fits": {func(m *engine.Model) {
			m.Facts.ContextLength, m.Args = 2048, map[string]any{"max_model_len": int64(2048)}
		}, ""},
		"unknown extra":      {func(m *engine.Model) { m.ExtraArgs = []string{"--of-the-future", "a", "b"} }, "unknown_argument"},
		"unknown generation": {func(m *engine.Model) { m.Generation = map[string]any{"stop": "x"} }, "unknown_setting"},
		"no gpus at all":     {func(m *engine.Model) { m.Args = map[string]any{"tensor_parallel_size": int64(2)} }, ""},
	}
	for name, tt := range tests {
		_, problems := New().Render(spec(tt.edit), engine.RenderEnv{})
		if engine.HasErrors(problems) || (tt.code == "") != (len(problems) == 0) || tt.code != "" && problems[0].Code != tt.code {
			t.Errorf("%s: %+v", name, problems)
		}
	}
}

func TestMemory(t *testing.T) {
	gpu := engine.GPU{Memory: 100 << 30}
	tests := map[string]struct {
		edit func(*engine.Model)
		want int64 // -1: unknown
	}{
		"default":     {nil, 92 << 30},
		"declared":    {func(m *engine.Model) { m.Memory = 5 }, 5},
		"utilization": {func(m *engine.Model) { m.Args = map[string]any{"gpu_memory_utilization": 0.5} }, 50 << 30},
		"kv, no weights": {func(m *engine.Model) {
			m.Args = map[string]any{"kv_cache_memory_bytes": "2G"}
		}, -1},
		"kv and weights": {func(m *engine.Model) {
			m.Args, m.Facts.WeightBytes = map[string]any{"kv_cache_memory_bytes": "2G", "tensor_parallel_size": int64(2)}, 8<<30
		}, 4<<30 + 2<<30 + overhead},
	}
	for name, tt := range tests {
		got, ok := New().Memory(spec(tt.edit), gpu)
		if !ok {
			got = -1
		}
		if diff := got - tt.want; diff < -1024 || diff > 1024 {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
	if _, ok := New().Memory(spec(nil), engine.GPU{}); ok {
		t.Error("a GPU of unknown size")
	}
}

func TestEffect(t *testing.T) {
	for path, want := range map[string]engine.Effect{
		"args.max_model_len": engine.EffectRestart, "aliases": engine.EffectRestart, "served_name": engine.EffectRestart, "env.X": engine.EffectRestart,
		"source": engine.EffectReplace, "backend": engine.EffectReplace, "roles.caption": engine.EffectHot, "lifecycle.probe": engine.EffectHot,
		"facts.path": engine.EffectHot, "facts.context_length": engine.EffectHot, "license": engine.EffectHot, "memory": engine.EffectHot,
	} {
		if got := New().Effect(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
