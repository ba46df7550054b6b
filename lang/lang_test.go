package lang

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loadoutdev/loadout/engine"
)

// write makes a directory of name, text, name, text …
func write(t testing.TB, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestWorkspaces(t *testing.T) {
	dir := write(t, "main.hcl", "workspace \"c\" {}\n", "workspaces/b.hcl", "workspace \"b\" {}\n", "workspaces/a.hcl.json", "{}",
		"workspaces/README.md", "x", "broken.hcl", "workspace \"d\" {")
	got, err := Workspaces(dir)
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if _, err := Workspaces(filepath.Join(dir, "none")); err == nil {
		t.Error("a directory that does not exist has workspaces")
	}
}

func TestLoadWithoutDirectory(t *testing.T) {
	l, diags := Load(Options{Dir: filepath.Join(t.TempDir(), "none")})
	if l == nil || len(diags) != 1 || !strings.Contains(diags[0].Detail, "no such file") {
		t.Error(diags)
	}
}

func TestLoadWritesNothing(t *testing.T) {
	dir := write(t, "main.hcl", benchBlocks(3))
	before := listing(t, dir)
	if _, diags := Load(Options{Dir: dir}); diags.HasErrors() {
		t.Fatal(diags)
	}
	if diff := cmp.Diff(before, listing(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func listing(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		info, statErr := os.Stat(path)
		if err != nil || statErr != nil {
			return err
		}
		out = append(out, path+" "+info.ModTime().String())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestChecks(t *testing.T) {
	dir := write(t, "main.hcl", `
variable "want" {
  default = 1
}
variable "secret" {
  default   = "hunter22"
  sensitive = true
}
check "a_passes" {
  assert {
    condition     = length([for m in models : m if contains(m.aliases, "chat/default")]) == var.want
    error_message = "exactly one model answers as chat/default"
  }
}
check "b_fails" {
  severity = "warning"
  assert {
    condition     = nothing
    error_message = "x"
  }
  assert {
    condition     = models[0].port > 9000
    error_message = "port of ${models[0].name} is ${models[0].port}"
  }
  assert {
    condition     = models[0].args.max_model_len == 1
    error_message = "length"
  }
}
check "c_secret" {
  assert {
    condition     = var.secret == "x"
    error_message = "it is ${var.secret}"
  }
}
`)
	l, diags := Load(Options{Dir: dir})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	models := []engine.Model{
		{Name: "one", Served: true, Spec: engine.Spec{Aliases: []string{"chat/default"}, Port: 8000, Args: map[string]any{"max_model_len": int64(4096)}}},
		{Name: "two", Spec: engine.Spec{Env: map[string]any{"K": engine.NewSecret("", "x")}}},
	}
	for range 2 { // a second evaluation says the same
		results, diags := l.Checks(models)
		var got []string
		for _, r := range results {
			got = append(got, r.Name+" "+string(r.Severity)+" "+map[bool]string{true: "passed", false: "failed"}[r.Passed]+": "+r.Message)
		}
		want := []string{
			"a_passes error passed: ",
			"b_fails warning failed: the condition cannot be evaluated\nport of one is 8000\nlength",
			"c_secret error failed: ",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		wantDiags := `main.hcl:18:21: error: unknown name "nothing"
    If it is text, put it into quotes: "nothing". References start with each, local, model, path, var, workspace.
main.hcl:33:5: error: error_message is sensitive
    It would be shown. Say what is wrong without the value.
`
		if diff := cmp.Diff(wantDiags, showDiagnostics(diags)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestNoChecks(t *testing.T) {
	l, _ := Load(Options{Dir: write(t, "main.hcl", "")})
	if results, diags := l.Checks(make([]engine.Model, 3)); results != nil || diags != nil {
		t.Error(results, diags)
	}
}

func TestDiagnose(t *testing.T) {
	l, diags := Load(Options{Dir: write(t, "main.hcl", "model \"m\" {\n  source  = \"x\"\n  backend = \"vllm\"\n  args = {\n    max_modle_len = 1\n  }\n}\n")})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	origin := l.Models[0].Layers[0][0].Origin
	got := l.Diagnose([]engine.Problem{
		{Severity: engine.SeverityError, Summary: "unknown argument", Detail: "Did you mean?", Model: "m", Origin: origin},
		{Severity: engine.SeverityWarning, Summary: "no facts", Detail: "Run discover.", Model: "m", Origin: engine.Origin{File: "discovered.json"}},
	})
	want := `main.hcl:5:5: error: unknown argument
    Did you mean?
warning: no facts
    Run discover. (model "m", discovered.json)
`
	if diff := cmp.Diff(want, showDiagnostics(got)); diff != "" {
		t.Error(diff)
	}
	subject := got[0].Subject
	if text := string(subject.SliceBytes(l.Files()["main.hcl"].Bytes)); text != "max_modle_len = 1" {
		t.Errorf("the range covers %q", text)
	}
}

func TestSizes(t *testing.T) {
	for _, tt := range []struct {
		in   engine.Value
		want engine.Value
	}{
		{"16GiB", int64(16 << 30)}, {"1.5 GiB", int64(3 << 29)}, {"16GB", int64(16e9)}, {"512MiB", int64(512 << 20)},
		{"7", int64(7)}, {int64(7), int64(7)}, {"1TiB", int64(1 << 40)}, {"2kB", int64(2000)}, {"0", int64(0)},
		{"16G", nil}, {"GiB", nil}, {"-1GiB", nil}, {int64(-1), nil}, {1.5, nil}, {"NaN", nil}, {"Inf", nil}, {"99999999TiB", nil}, {true, nil}, {"", nil},
	} {
		got, err := asBytes(tt.in)
		if got != tt.want || (err == nil) != (tt.want != nil) {
			t.Errorf("%v: %v, %v; want %v", tt.in, got, err, tt.want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	names := []string{"max_model_len", "port", "host"}
	for given, want := range map[string]string{
		"max_modle_len": ` Did you mean "max_model_len"?`, "prot": ` Did you mean "port"?`, "hots": ` Did you mean "host"?`,
		"zzzzzzzzzz": "", "x": "", "": "",
	} {
		if got := didYouMean(given, names); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}

func TestDeepNesting(t *testing.T) {
	for _, text := range []string{
		"a = " + strings.Repeat("[", 1<<20), "a = " + strings.Repeat("(", maxDepth-1), strings.Repeat("a {\n", 1<<18), "a = \"" + strings.Repeat("${", 1<<18),
		"a = " + strings.Repeat("!", 1<<20) + "true\n", "a = " + strings.Repeat("true ? 1 : ", 1<<17) + "1\n",
	} {
		if _, diags := Load(Options{Dir: write(t, "main.hcl", text)}); !diags.HasErrors() {
			t.Errorf("%.20q… was accepted", text)
		}
	}
}

func TestFormat(t *testing.T) {
	for in, want := range map[string]string{
		"a=1": "a = 1\n", "\n\nmodel \"m\" {\nsource=\"x\"\nbackend = 2\n}\n\n\n": "model \"m\" {\n  source  = \"x\"\n  backend = 2\n}\n",
		"": "", "broken {": "broken {", "a = <<EOT\n  x\n\nEOT\n": "a = <<EOT\n  x\n\nEOT\n",
	} {
		if got := string(Format([]byte(in))); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
