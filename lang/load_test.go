package lang

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/loadoutdev/loadout/engine"
)

var update = flag.Bool("update", false, "write the wanted results of testdata/load")

// TestLoad loads every testdata/load/*.txtar. The files of an archive are the
// directory; "options" sets workspace, need, var, varfile and env, one a line;
// "want" holds the declarations, "diagnostics" what was reported.
func TestLoad(t *testing.T) {
	archives, err := filepath.Glob("testdata/load/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no testdata/load/*.txtar", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := loadArchive(t, archive)
			if *update {
				updateArchive(t, path, archive, got)
				return
			}
			for _, name := range results {
				if diff := cmp.Diff(sectionOf(archive, name), got[name]); diff != "" {
					t.Errorf("%s differs (-want +got), go test -update writes it:\n%s", name, diff)
				}
			}
		})
	}
}

// results are the sections of an archive that are compared.
var results = []string{"want", "diagnostics"}

func loadArchive(t *testing.T, archive *txtar.Archive) map[string]string {
	t.Helper()
	dir := writeArchive(t, archive)
	opt := optionsOf(t, sectionOf(archive, "options"))
	opt.Dir = dir
	l, diags := Load(opt)
	got := map[string]string{"diagnostics": showDiagnostics(diags)}
	if !diags.HasErrors() {
		got["want"] = showConfig(l)
	}
	for name, text := range got {
		got[name] = strings.ReplaceAll(text, dir, "$DIR")
	}
	return got
}

func writeArchive(t testing.TB, archive *txtar.Archive) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range archive.Files {
		if f.Name == "options" || slices.Contains(results, f.Name) {
			continue
		}
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func optionsOf(t testing.TB, text string) Options {
	t.Helper()
	opt := Options{Environ: []string{"HOME=/home/ann"}}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "workspace":
			opt.Workspace = value
		case "need":
			opt.NeedWorkspace = true
		case "var":
			opt.Values = append(opt.Values, ValueArg{Assign: value})
		case "varfile":
			opt.Values = append(opt.Values, ValueArg{File: value})
		case "env":
			opt.Environ = append(opt.Environ, value)
		default:
			t.Fatalf("unknown option %q", line)
		}
	}
	return opt
}

func sectionOf(archive *txtar.Archive, name string) string {
	for _, f := range archive.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

func updateArchive(t *testing.T, path string, archive *txtar.Archive, got map[string]string) {
	t.Helper()
	archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return slices.Contains(results, f.Name) })
	for _, name := range results {
		if got[name] != "" {
			archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(got[name])})
		}
	}
	if err := os.WriteFile(path, txtar.Format(archive), 0o600); err != nil {
		t.Fatal(err)
	}
}

// showConfig writes declarations for people to review.
func showConfig(l *Loaded) string {
	var b strings.Builder
	if w := l.Workspace; w.Name != "" {
		fmt.Fprintf(&b, "workspace %s profile=%q  %s\n", w.Name, w.Profile, showOrigin(w.Origin))
		for _, g := range w.GPUs {
			fmt.Fprintf(&b, "  gpu %s uuid=%q memory=%d reserve=%d used=%d  %s\n", g.ID, g.UUID, g.Memory, g.Reserve, g.Used, showOrigin(g.Origin))
		}
	}
	for _, m := range l.Models {
		fmt.Fprintf(&b, "model %s  %s", m.Name, showOrigin(m.Origin))
		if m.Served {
			fmt.Fprintf(&b, "  served %s", showOrigin(m.Serve))
		}
		b.WriteString("\n")
		for _, layer := range m.Layers {
			for i, a := range layer {
				head := ""
				if i == 0 {
					head = fmt.Sprintf("%s %s", a.Origin.Layer, a.Origin.Block)
				}
				fmt.Fprintf(&b, "  %-14s %s = %s  %s\n", head, a.Path, engine.FormatValue(a.Value), showOrigin(a.Origin))
			}
		}
	}
	for _, m := range l.Moves {
		fmt.Fprintf(&b, "moved %s to %s  %s\n", m.From, m.To, showOrigin(m.Origin))
	}
	for _, r := range l.Removals {
		fmt.Fprintf(&b, "removed %s stop=%v  %s\n", r.Model, r.Stop, showOrigin(r.Origin))
	}
	for _, a := range l.Adoptions {
		fmt.Fprintf(&b, "adopt %s pid=%d  %s\n", a.Model, a.Pid, showOrigin(a.Origin))
	}
	if d := l.Discover; d != nil {
		fmt.Fprintf(&b, "discover paths=%q hf_cache=%q ollama=%q\n", d.Paths, d.HFCache, d.Ollama)
	}
	for _, in := range l.Inputs {
		fmt.Fprintf(&b, "input %s\n", in.Path)
	}
	if len(l.Sensitive) > 0 {
		fmt.Fprintf(&b, "sensitive %q\n", l.Sensitive)
	}
	return b.String()
}

func showOrigin(o engine.Origin) string {
	return fmt.Sprintf("%s:%d:%d-%d:%d", o.File, o.Start.Line, o.Start.Column, o.End.Line, o.End.Column)
}

func showDiagnostics(diags hcl.Diagnostics) string {
	var b strings.Builder
	for _, d := range diags {
		if d.Subject != nil {
			fmt.Fprintf(&b, "%s:%d:%d: ", d.Subject.Filename, d.Subject.Start.Line, d.Subject.Start.Column)
		}
		kind := "error"
		if d.Severity == hcl.DiagWarning {
			kind = "warning"
		}
		fmt.Fprintf(&b, "%s: %s\n", kind, d.Summary)
		for line := range strings.Lines(d.Detail) {
			b.WriteString("    " + strings.TrimSpace(line) + "\n")
		}
	}
	return b.String()
}
