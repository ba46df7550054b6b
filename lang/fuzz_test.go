package lang

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/loadoutdev/loadout/engine"
)

// addSeeds gives a fuzz target every file of every archive.
func addSeeds(f *testing.F, add func(name string, data []byte)) {
	f.Helper()
	archives, err := filepath.Glob("testdata/load/*.txtar")
	if err != nil || len(archives) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if filepath.Ext(file.Name) == ".hcl" || filepath.Ext(file.Name) == ".json" {
				add(file.Name, file.Data)
			}
		}
	}
}

// FuzzLoad: any bytes give diagnostics or a configuration that can be written
// down and whose layers keep their promise; never a panic.
func FuzzLoad(f *testing.F) {
	addSeeds(f, func(name string, data []byte) { f.Add(data, filepath.Ext(name) == ".json") })
	f.Fuzz(func(t *testing.T, data []byte, json bool) {
		dir := t.TempDir()
		name := "main.hcl"
		if json {
			name += ".json"
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		l, diags := Load(Options{Dir: dir, Environ: []string{"HOME=" + dir}})
		for _, d := range diags {
			if d.Summary == "" || d.Expression != nil || d.EvalContext != nil {
				t.Errorf("a diagnostic that says too little or too much: %+v", d)
			}
		}
		if diags.HasErrors() {
			return
		}
		if len(engine.CanonicalJSON(l.Config)) == 0 {
			t.Error("no JSON")
		}
		for _, m := range l.Models {
			for _, layer := range m.Layers {
				checkLayer(t, m.Name, layer)
			}
		}
		if _, diags := l.Checks(nil); diags.HasErrors() && len(l.checks) == 0 {
			t.Error("diagnostics of checks that do not exist")
		}
	})
}

// FuzzFormat: the layout is stable, keeps a file valid and loses no token.
func FuzzFormat(f *testing.F) {
	addSeeds(f, func(_ string, data []byte) { f.Add(data) })
	f.Add([]byte("a = 1 # x\n\n\n\nb {\n c=2 }\n"))
	f.Add([]byte("a = <<EOT\n  x\n\n\nEOT\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		once := Format(data)
		if twice := Format(once); !bytes.Equal(once, twice) {
			t.Errorf("formatting again changes it:\n%q\n%q\n%q", data, once, twice)
		}
		_, before := hclsyntax.ParseConfig(data, "", hcl.InitialPos)
		_, after := hclsyntax.ParseConfig(once, "", hcl.InitialPos)
		if before.HasErrors() != after.HasErrors() {
			t.Errorf("formatting changes whether it can be parsed: %v %v", before, after)
		}
	})
}
