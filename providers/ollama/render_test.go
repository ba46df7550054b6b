package ollama

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loadoutdev/loadout/engine"
)

func TestRender(t *testing.T) {
	l, problems := New().Render(&engine.Model{Name: "chat", Spec: engine.Spec{
		Backend: "ollama", Source: "ollama://qwen3:8b@sha256:" + strings.Repeat("0a", 32), ServedName: "chat", Host: "127.0.0.1",
		Aliases: []string{"talk", "Chat:latest"}, GPUs: []string{"main"}, KeepAlive: "90m", ChatTemplate: "{{ .Prompt }}",
		Args:       map[string]any{"num_ctx": int64(8192), "stop": []any{"</s>"}, "top_p": 1.0},
		Generation: map[string]any{"temperature": 0.2, "max_tokens": int64(512), "repetition_penalty": 1.1},
	}}, engine.RenderEnv{})
	if len(problems) > 0 {
		t.Fatalf("%+v", problems)
	}
	const want = `{"backend":"ollama","settings":{"from":"qwen3:8b","keep_alive":"90m",` +
		`"parameters":{"num_ctx":8192,"num_predict":512,"repeat_penalty":1.1,"stop":["</s>"],"temperature":0.2,"top_p":1},` +
		`"template":"{{ .Prompt }}"},"url":"http://127.0.0.1:11434","model":"qwen3:8b","served":["chat","talk"],` +
		`"artifact":"sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"}`
	if diff := cmp.Diff(want, string(engine.CanonicalJSON(l))); diff != "" {
		t.Error(diff)
	}
}

func TestRenderProblems(t *testing.T) {
	for _, tc := range []struct {
		name string
		edit func(*engine.Model)
		want string // severity path code: summary (detail), as far as it goes
	}{
		{"mistyped parameter", func(m *engine.Model) { m.Args["num_ctxx"] = int64(1) },
			`error args.num_ctxx unknown_argument: Ollama has no parameter "num_ctxx" (Did you mean "num_ctx"?)`},
		{"parameter of another backend", func(m *engine.Model) { m.Args["gpu_memory_utilization"] = 0.9 },
			`error args.gpu_memory_utilization unknown_argument: Ollama has no parameter "gpu_memory_utilization" (Known are frequency_penalty, `},
		{"text for a number", func(m *engine.Model) { m.Args["top_k"] = "many" },
			`error args.top_k wrong_type: top_k must be a whole number, not "many"`},
		{"fraction for a whole number", func(m *engine.Model) { m.Args["top_k"] = 1.5 },
			`error args.top_k wrong_type: top_k must be a whole number, not 1.5`},
		{"numbers as stop", func(m *engine.Model) { m.Args["stop"] = []any{int64(1)} },
			`error args.stop wrong_type: stop must be a list of strings, not [1]`},
		{"secret", func(m *engine.Model) { m.Args["seed"] = engine.NewSecret("w", "x") },
			`error args.seed sensitive_argument: A sensitive value cannot be a parameter`},
		{"said twice", func(m *engine.Model) { m.Generation = map[string]any{"top_p": 0.5} },
			`error generation.top_p argument_conflict: args.top_p and generation.top_p both set top_p (Keep one of them.)`},
		{"runner parameter as sampling default", func(m *engine.Model) { m.Generation = map[string]any{"num_ctx": int64(1)} },
			`error generation.num_ctx unsupported_setting: num_ctx is not a sampling default (Set args.num_ctx instead.)`},
		{"sampling that Ollama lacks", func(m *engine.Model) { m.Generation = map[string]any{"length_penalty": 1.0} },
			`error generation.length_penalty unknown_argument: Ollama has no parameter "length_penalty"`},
		{"port", func(m *engine.Model) { m.Port = 8001 },
			`error port unsupported_setting: port cannot be set: Loadout does not start the Ollama service (Clients use the url of the backend block; leave the port out.)`},
		{"host", func(m *engine.Model) { m.Host = "0.0.0.0" }, `error host unsupported_setting: `},
		{"env", func(m *engine.Model) { m.Env = map[string]any{"A": "b"} }, `error env unsupported_setting: `},
		{"extra_args", func(m *engine.Model) { m.ExtraArgs = []string{"--x"} }, `error extra_args unsupported_setting: `},
		{"command", func(m *engine.Model) { m.Command = []string{"ollama"} }, `error command unsupported_setting: `},
		{"source", func(m *engine.Model) { m.Source = "hf://org/name" }, `error source invalid_source: "hf://org/name" is no tag of Ollama`},
		{"pin", func(m *engine.Model) { m.Source = "ollama://a@sha256:12" }, `error source invalid_source: `},
		{"url", func(m *engine.Model) { m.URL = "localhost:11434" }, `error url invalid_url: "localhost:11434" is no URL of a service`},
		{"keep_alive", func(m *engine.Model) { m.KeepAlive = "soon" }, `error keep_alive invalid_duration: keep_alive is a duration such as "30m", or "forever", not "soon"`},
		{"keep_alive zero", func(m *engine.Model) { m.KeepAlive = "0" }, `error keep_alive invalid_duration: keep_alive "0" would unload`},
		{"context", func(m *engine.Model) { m.Facts.ContextLength = 128 },
			`error args.num_ctx context_too_long: num_ctx 256 is more than the 128 tokens that the model was trained for`},
		{"jinja", func(m *engine.Model) { m.ChatTemplate = "{% for m in messages %}x{% endfor %}" },
			`warning chat_template jinja_template: The chat template looks like Jinja`},
		{"jinja that is no Go template", func(m *engine.Model) { m.ChatTemplate = "{{ m['role'] }}" },
			`error chat_template invalid_template: The chat template is no Go template: `},
		{"served name", func(m *engine.Model) { m.ServedName = "a b" },
			`error served_name invalid_name: "a b" is no name that Ollama takes`},
		{"model name", func(m *engine.Model) { m.Name, m.ServedName = "qwen_(AWQ)", "qwen_(AWQ)" },
			`warning served_name name_changed: Ollama does not take the name "qwen_(AWQ)": the model answers to "qwen_-AWQ-`},
		{"alias", func(m *engine.Model) { m.Aliases = []string{"ok", "a b"} }, `error aliases[1] invalid_name: `},
		{"served name of the base", func(m *engine.Model) { m.ServedName = "Tiny-Base:latest" },
			`error served_name name_taken: The served name "Tiny-Base:latest" is the name of the base model, which would be overwritten`},
		{"alias of the base", func(m *engine.Model) { m.Aliases = []string{baseTag} },
			`error aliases name_taken: The alias "tiny-base" is the name of the base model`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := chatModel(DefaultURL)
			tc.edit(m)
			_, problems := New().Render(m, engine.RenderEnv{})
			if len(problems) != 1 {
				t.Fatalf("%d problems, want one: %+v", len(problems), problems)
			}
			p := problems[0]
			got := string(p.Severity) + " " + p.Path + " " + p.Code + ": " + p.Summary + " (" + p.Detail + ")"
			if !strings.HasPrefix(got, tc.want) || p.Model != m.Name {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestLegalName(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"qwen3", "team/qwen:8b", "hf.co/user/repo:Q4_K_M", `qwen["a"]`, `qwen["b"]`, "a b", "a-b", "(…)",
		".hidden", strings.Repeat("x", 100), strings.Repeat("x", 101), "a/b/c/d", "a:b:c", "ns.x/model"} {
		got := legalName(name)
		if !isName(got) {
			t.Errorf("legalName(%q) = %q, which is no name", name, got)
		}
		if other, taken := seen[canonical(got)]; taken {
			t.Errorf("%q and %q both become %q", name, other, got)
		}
		seen[canonical(got)] = name
		if isName(name) && got != name {
			t.Errorf("legalName(%q) = %q changes a legal name", name, got)
		}
	}
}

func TestCanonical(t *testing.T) {
	for name, want := range map[string]string{
		"Qwen3": "qwen3:latest", "qwen3:8B": "qwen3:8b", "library/qwen3": "qwen3:latest",
		"registry.ollama.ai/library/qwen3:8b": "qwen3:8b", "hf.co:443/u/r": "hf.co:443/u/r:latest",
	} {
		if got := canonical(name); got != want {
			t.Errorf("canonical(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestReadParameters(t *testing.T) {
	got := readParameters("num_ctx                        256\nstop                           \"a b\"\nstop                           \"c\\\"d\"\n" +
		"temperature                    0.7\nuse_mmap                       true\nseed                           1e+06\nother                          x y")
	want := map[string]any{"num_ctx": int64(256), "stop": []any{"a b", `c"d`}, "temperature": 0.7, "use_mmap": true,
		"seed": int64(1000000), "other": "x y"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMark(t *testing.T) {
	m := markOf("/state", "chat", "abc")
	for _, license := range []string{m.String(), "MIT\n" + m.String(), mark{"old", "x"}.String() + "\n" + m.String() + "\n"} {
		if got, ok := readMark(license); !ok || got != m {
			t.Errorf("readMark(%q) = %v, %v", license, got, ok)
		}
	}
	for _, license := range []string{"", "MIT License", "loadout-instance", "see loadout-instance abc owner x y"} {
		if got, ok := readMark(license); ok {
			t.Errorf("readMark(%q) = %v, want none", license, got)
		}
	}
	if markOf("/state", "other", "abc").owner == m.owner || markOf("/elsewhere", "chat", "abc").owner == m.owner {
		t.Error("owner does not tell models and workspaces apart")
	}
}
