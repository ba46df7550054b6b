package engine

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
)

// layer builds a Layer from path, value pairs of one kind of layer.
func layer(kind LayerKind, line int, pairs ...any) Layer {
	var l Layer
	for i := 0; i < len(pairs); i += 2 {
		l = append(l, Assignment{Path: pairs[i].(string), Value: pairs[i+1], Origin: Origin{
			Layer: kind, File: string(kind) + ".hcl", Start: Pos{Line: line + i/2},
		}})
	}
	return l
}

// brief writes leaves as "path = value @ file:line < loser @ file:line".
func brief(leaves []Leaf) string {
	var b strings.Builder
	for _, l := range leaves {
		b.WriteString(l.Path + " = " + FormatValue(l.Value) + " @ " + l.Origin.Place())
		for _, o := range l.Overrides {
			b.WriteString(" < " + FormatValue(o.Value) + " @ " + o.Origin.Place())
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestMerge(t *testing.T) {
	object, list := map[string]any{}, []any{"a"}
	tests := []struct {
		name     string
		layers   []Layer
		want     string
		problems []string
	}{{
		name: "key by key, later wins and remembers",
		layers: []Layer{
			layer(LayerBackend, 1, "args.gpu_memory_utilization", 0.85, "args.max_model_len", int64(8192)),
			layer(LayerModel, 1, "args.enforce_eager", true, "args.max_model_len", int64(4096)),
			layer(LayerServe, 1, "args.max_model_len", int64(2048)),
		},
		want: `
args.enforce_eager = true @ model.hcl:1
args.gpu_memory_utilization = 0.85 @ backend.hcl:1
args.max_model_len = 2048 @ serve.hcl:1 < 4096 @ model.hcl:2 < 8192 @ backend.hcl:2
`,
	}, {
		name:   "lists replace whole",
		layers: []Layer{layer(LayerModel, 1, "extra_args", []any{"--a", "1"}), layer(LayerServe, 1, "extra_args", []any{"--b"})},
		want:   `extra_args = ["--b"] @ serve.hcl:1 < ["--a","1"] @ model.hcl:1`,
	}, {
		name:   "null unsets and is kept to be explained",
		layers: []Layer{layer(LayerModel, 1, "args.seed", int64(7)), layer(LayerServe, 1, "args.seed", nil)},
		want:   `args.seed = null @ serve.hcl:1 < 7 @ model.hcl:1`,
	}, {
		name:   "null of an object unsets all of it",
		layers: []Layer{layer(LayerBackend, 1, "args.a", int64(1), "args.b", int64(2)), layer(LayerModel, 1, "args", nil), layer(LayerServe, 1, "args.b", int64(3))},
		want: `
args.a = null @ model.hcl:1 < 1 @ backend.hcl:1
args.b = 3 @ serve.hcl:1 < 2 @ backend.hcl:2
`,
	}, {
		name:   "a value after a null sets again",
		layers: []Layer{layer(LayerModel, 1, "env", nil), layer(LayerServe, 1, "env.A", "1")},
		want:   `env.A = "1" @ serve.hcl:1`,
	}, {
		name:   "an empty object changes nothing",
		layers: []Layer{layer(LayerModel, 1, "args.a", int64(1)), layer(LayerServe, 1, "args", object)},
		want:   `args.a = 1 @ model.hcl:1`,
	}, {
		name:   "neighbors in the order of bytes are no children",
		layers: []Layer{layer(LayerModel, 1, "args", object, "args_like", "x")},
		want: `
args = {} @ model.hcl:1
args_like = "x" @ model.hcl:2
`,
	}, {
		name:     "object against scalar",
		layers:   []Layer{layer(LayerBackend, 1, "args.limit", int64(1)), layer(LayerModel, 1, "args.limit.image", int64(2))},
		want:     "args.limit = 1 @ backend.hcl:1\nargs.limit.image = 2 @ model.hcl:1",
		problems: []string{"args.limit is an object here and a single value in backend.hcl:1"},
	}, {
		name:     "list against scalar, across a null",
		layers:   []Layer{layer(LayerBackend, 1, "args.stop", list), layer(LayerModel, 1, "args.stop", nil), layer(LayerServe, 1, "args.stop", "a")},
		want:     `args.stop = "a" @ serve.hcl:1 < null @ model.hcl:1 < ["a"] @ backend.hcl:1`,
		problems: []string{"args.stop is a single value here and a list in backend.hcl:1"},
	}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			leaves, problems := new(merger).merge("m", tt.layers)
			if got := strings.TrimSpace(brief(leaves)); got != strings.TrimSpace(tt.want) {
				t.Errorf("merged:\n%s\nwant:\n%s", got, strings.TrimSpace(tt.want))
			}
			var got []string
			for _, p := range problems {
				got = append(got, p.Summary)
			}
			if strings.Join(got, "\n") != strings.Join(tt.problems, "\n") {
				t.Errorf("problems: %q, want %q", got, tt.problems)
			}
		})
	}
}

// Layers are shared between models: merging must not edit them.
func TestMergeLeavesLayersAlone(t *testing.T) {
	layers := []Layer{
		layer(LayerBackend, 1, "args.a", int64(1), "args.b", int64(2)),
		layer(LayerModel, 1, "args", nil),
	}
	before := Digest(layers)
	for range 3 {
		new(merger).merge("m", layers)
	}
	if Digest(layers) != before {
		t.Error("a layer was edited")
	}
}

func TestPathsRoundTrip(t *testing.T) {
	for _, keys := range [][]string{{"args", "max_model_len"}, {"env", "A.B"}, {"args", `a "quoted" [key]`, "x"}, {"roles", "chat-fast"}, {"args", ""}, {"args", "é"}} {
		path := ""
		for _, k := range keys {
			path = JoinPath(path, k)
		}
		if got := SplitPath(path); strings.Join(got, "|") != strings.Join(keys, "|") {
			t.Errorf("%q: %q, want %q", path, got, keys)
		}
		if !Under(path, keys[0]) || Under(path, keys[0][:1]) {
			t.Errorf("%q lies under %q only", path, keys[0])
		}
		if base := parent(path); base != keys[0] && len(keys) == 2 {
			t.Errorf("parent of %q is %q", path, base)
		}
	}
}

func FuzzSplitPath(f *testing.F) {
	for _, s := range []string{"args.a", `env["A.B"]`, `[`, `a["`, `a[""]b`, "..", "a."} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, s string) { SplitPath(s); parent(s); Root(s) })
}

func TestSecretsStayHidden(t *testing.T) {
	s := NewSecret("gpu0", "canary-token")
	out := string(CanonicalJSON(map[string]any{"env": s})) + FormatValue(s) + s.GoString()
	if strings.Contains(out, "canary") {
		t.Fatalf("the plain text shows: %s", out)
	}
	if NewSecret("gpu1", "canary-token").Hash() == s.Hash() {
		t.Error("workspaces share a salt")
	}
	var back any
	dec := json.NewDecoder(strings.NewReader(string(CanonicalJSON(s))))
	dec.UseNumber()
	if err := dec.Decode(&back); err != nil {
		t.Fatal(err)
	}
	if !EqualValues(Normalize(back), s) {
		t.Error("a secret read back is not equal to itself")
	}
}

func TestNearest(t *testing.T) {
	words := []string{"max_model_len", "max_num_seqs", "enforce_eager"}
	for in, want := range map[string]string{"max_modle_len": "max_model_len", "max_num_seq": "max_num_seqs", "zzz": "", "": ""} {
		rand.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
		if got := Nearest(in, words); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", in, got, want)
		}
	}
}
