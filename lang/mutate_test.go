package lang

import (
	"cmp"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/loadoutdev/loadout/engine"
)

// TestMutations exchanges whole expressions between the archives, which reaches
// the evaluation where random bytes only reach the parser: never a panic, and
// whatever loads keeps the promise of the layers.
func TestMutations(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 50
	}
	files, expressions := nativeFiles(t)
	random := rand.New(rand.NewPCG(7, 7))
	path := filepath.Join(t.TempDir(), "main.hcl")
	loaded := 0
	for range rounds {
		src := files[random.IntN(len(files))]
		for range 1 + random.IntN(3) {
			src = exchange(src, expressions, random)
		}
		if err := os.WriteFile(path, src, 0o600); err != nil {
			t.Fatal(err)
		}
		l, diags := Load(Options{Dir: filepath.Dir(path)})
		if diags.HasErrors() {
			continue
		}
		loaded++
		engine.CanonicalJSON(l.Config)
		for _, m := range l.Models {
			for _, layer := range m.Layers {
				checkLayer(t, string(src), layer)
			}
		}
		l.Checks([]engine.Model{{Name: "m"}})
	}
	if loaded == 0 {
		t.Error("no mutation loads: the test looks at nothing")
	}
}

// nativeFiles are the archives' files and the texts of all their expressions.
func nativeFiles(t *testing.T) (files [][]byte, expressions [][]byte) {
	t.Helper()
	archives, err := filepath.Glob("testdata/load/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if filepath.Ext(f.Name) != ".hcl" {
				continue
			}
			files = append(files, f.Data)
			for _, r := range expressionsOf(f.Data) {
				expressions = append(expressions, r.SliceBytes(f.Data))
			}
		}
	}
	return files, expressions
}

func expressionsOf(src []byte) []hcl.Range {
	var ranges []hcl.Range
	file, _ := hclsyntax.ParseConfig(src, "", hcl.InitialPos)
	_ = hclsyntax.VisitAll(file.Body.(*hclsyntax.Body), func(n hclsyntax.Node) hcl.Diagnostics {
		if _, ok := n.(hclsyntax.Expression); ok && n.Range().CanSliceBytes(src) {
			ranges = append(ranges, n.Range())
		}
		return nil
	})
	slices.SortFunc(ranges, func(a, b hcl.Range) int {
		return cmp.Or(cmp.Compare(a.Start.Byte, b.Start.Byte), cmp.Compare(a.End.Byte, b.End.Byte))
	})
	return ranges
}

// exchange puts another expression into the place of one.
func exchange(src []byte, expressions [][]byte, random *rand.Rand) []byte {
	ranges := expressionsOf(src)
	if len(ranges) == 0 {
		return src
	}
	r := ranges[random.IntN(len(ranges))]
	out := append([]byte{}, src[:r.Start.Byte]...)
	out = append(out, expressions[random.IntN(len(expressions))]...)
	return append(out, src[r.End.Byte:]...)
}
