package lang

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/loadoutdev/loadout/engine"
)

// declarations without the byte positions, which move with the text.
var ignorePlaces = cmp.FilterPath(func(p cmp.Path) bool {
	last := p.Last().String()
	return last == ".Start" || last == ".End" || last == ".File"
}, cmp.Ignore())

// secrets compare by their hash, as everywhere.
var byHash = cmp.Comparer(func(a, b engine.Secret) bool { return a.Hash() == b.Hash() })

// TestOrderOfFiles renames the files of every archive that loads, so that they
// are read in another order, and repeats the load: nothing but places differs.
func TestOrderOfFiles(t *testing.T) {
	blocks := []string{
		"locals {\n  a = local.b\n}\n",
		"locals {\n  b = model.m.port\n}\n",
		"model \"m\" {\n  source = \"x\"\n  backend = \"vllm\"\n  args = merge(local.c, { z = 1, y = local.a })\n}\n",
		"model \"n\" {\n  for_each = local.c\n  source = model.m.source\n  backend = \"vllm\"\n  env = { B = \"2\", A = \"1\", \"c.d\" = 3 }\n}\n",
		"locals {\n  c = { k2 = 1, k1 = 2 }\n}\n",
		"backend \"vllm\" {\n  args = { b = 1, a = 2 }\n}\n",
		"workspace \"w\" {\n  serve \"m\" {\n    port = 1\n  }\n  serve \"n\" {\n    for_each = local.c\n    port = each.value + 10\n  }\n}\n",
		"moved {\n  from = model.o\n  to = model.m\n}\n",
	}
	load := func(order []int) engine.Config {
		dir := t.TempDir()
		for i, n := range order {
			if err := os.WriteFile(filepath.Join(dir, string(rune('a'+i))+".hcl"), []byte(blocks[n]), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		l, diags := Load(Options{Dir: dir})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		l.Inputs = nil // the names that the test gives
		return l.Config
	}
	order := make([]int, len(blocks))
	for i := range order {
		order[i] = i
	}
	want := load(order)
	random := rand.New(rand.NewPCG(1, 2))
	for range 10 {
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		if diff := cmp.Diff(want, load(order), ignorePlaces, byHash); diff != "" {
			t.Fatalf("order %v gives something else:\n%s", order, diff)
		}
	}
}

// TestSameInputSameBytes loads every archive several times: configuration and
// diagnostics are the same to the byte, whatever the order of maps.
func TestSameInputSameBytes(t *testing.T) {
	archives, err := filepath.Glob("testdata/load/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		opt := optionsOf(t, sectionOf(archive, "options"))
		opt.Dir = writeArchive(t, archive)
		first := ""
		for range 5 {
			l, diags := Load(opt)
			text := string(engine.CanonicalJSON(l.Config)) + showDiagnostics(diags)
			if first == "" {
				first = text
			} else if text != first {
				t.Fatalf("%s: two loads differ:\n%s", path, cmp.Diff(first, text))
			}
		}
	}
}

// TestLayersAreSorted holds the promise of engine.Layer for every archive:
// sorted, each path once, no path under another one.
func TestLayersAreSorted(t *testing.T) {
	archives, _ := filepath.Glob("testdata/load/*.txtar")
	layers := 0
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		opt := optionsOf(t, sectionOf(archive, "options"))
		opt.Dir = writeArchive(t, archive)
		l, diags := Load(opt)
		if diags.HasErrors() {
			continue
		}
		for _, m := range l.Models {
			for _, layer := range m.Layers {
				layers++
				checkLayer(t, path+" "+m.Name, layer)
			}
		}
	}
	if layers < 30 {
		t.Errorf("only %d layers were looked at", layers)
	}
}

func checkLayer(t testing.TB, where string, layer engine.Layer) {
	t.Helper()
	if !slices.IsSortedFunc(layer, func(a, b engine.Assignment) int { return strings.Compare(a.Path, b.Path) }) {
		t.Errorf("%s: not sorted: %v", where, layer)
	}
	for i := range layer {
		for j := range layer {
			if i != j && engine.Under(layer[i].Path, layer[j].Path) {
				t.Errorf("%s: %s lies under %s", where, layer[i].Path, layer[j].Path)
			}
		}
	}
}

// TestJSONEquals loads the same configuration in both syntaxes.
func TestJSONEquals(t *testing.T) {
	native := `
variable "n" {
  type    = number
  default = 3
}
model "m" {
  for_each = { a = 1, b = { x = [true, null] } }
  source   = "hf://org/${each.key}"
  backend  = "vllm"
  args     = { v = each.value, n = var.n + 1, deep = { list = ["x", 2], none = null, empty = {} } }
  roles    = { chat = 5 }
  lifecycle {
    on_failure = "leave"
  }
}
workspace "w" {
  gpu "0" {
    memory = "16GiB"
  }
  serve "m" {
    for_each = toset(["a"])
    port     = 8000
  }
}
`
	json := `{
  "variable": {"n": {"type": "number", "default": 3}},
  "model": {"m": {
    "for_each": {"a": 1, "b": {"x": [true, null]}},
    "source": "hf://org/${each.key}",
    "backend": "vllm",
    "args": {"v": "${each.value}", "n": "${var.n + 1}", "deep": {"list": ["x", 2], "none": null, "empty": {}}},
    "roles": {"chat": 5},
    "lifecycle": {"on_failure": "leave"}
  }},
  "workspace": {"w": {"gpu": {"0": {"memory": "16GiB"}}, "serve": {"m": {"for_each": "${toset([\"a\"])}", "port": 8000}}}}
}`
	load := func(name, text string) engine.Config {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		l, diags := Load(Options{Dir: dir})
		if diags.HasErrors() {
			t.Fatalf("%s: %v", name, diags)
		}
		l.Inputs = nil
		return l.Config
	}
	a, b := load("main.hcl", native), load("main.hcl.json", json)
	if len(a.Models) != 2 || !a.Models[0].Served {
		t.Fatalf("unexpected models: %v", a.Models)
	}
	if diff := cmp.Diff(a, b, ignorePlaces, byHash); diff != "" {
		t.Errorf("the syntaxes differ (-native +json):\n%s", diff)
	}
}
