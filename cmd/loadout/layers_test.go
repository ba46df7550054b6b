package main_test

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// The layers of Loadout, read from the import lines of the source files:
//
//	cmd ─► lang ─► engine ◄─ providers/*
//
// The test parses files instead of asking the go command, so that the test
// cache sees each edit, files behind build tags count, and a package that does
// not compile yet is checked all the same.

// module is what our import paths begin with. In the rules an import of ours
// is written relative to it: "./lang" is github.com/loadoutdev/loadout/lang.
const module = "github.com/loadoutdev/loadout"

// topLevel names all that may stand in the root beside dot-files, dot-folders
// and what .gitignore names.
var topLevel = []string{
	"cmd", "lang", "engine", "providers", "examples", "configs",
	"go.mod", "go.sum", "Makefile", "README.md", "LICENSE", "ARCHITECTURE.md", "CHANGELOG.md",
}

// goFile is what the rules may know of a source file.
type goFile struct {
	dir  string // folder relative to the root, slash-separated, "." for the root
	test bool   // its name ends in _test.go
}

// layerRule forbids imports; broken is asked about each import of each file.
type layerRule struct {
	name, why string
	broken    func(f goFile, imp string) bool
}

var layerRules = []layerRule{
	{"engine imports nothing of ours",
		"everything points at engine, so it must point at nothing",
		func(f goFile, imp string) bool {
			return f.dir == "engine" && ours(imp) && !(f.test && under(imp, "./engine"))
		}},
	{"what lies below engine imports only engine of ours",
		"applying and storing a plan needs no language, no view and no named provider",
		func(f goFile, imp string) bool {
			return under(f.dir, "engine") && f.dir != "engine" && ours(imp) && !under(imp, "./engine")
		}},
	{"engine runs no process and speaks no HTTP",
		"decisions are tested without a machine; effects go through engine.Provider",
		func(f goFile, imp string) bool {
			return under(f.dir, "engine") && !f.test && (imp == "os/exec" || under(imp, "net/http"))
		}},
	{"lang imports only engine of ours",
		"the language must not depend on how a model is served or shown; files it reads as everybody does",
		func(f goFile, imp string) bool {
			return under(f.dir, "lang") && ours(imp) && !under(imp, "./lang") && imp != "./engine" && imp != "./engine/plainfile"
		}},
	{"HCL and cty stay in lang and cmd",
		"values are plain once they are merged; engine and providers are built and tested without the language",
		func(f goFile, imp string) bool {
			language := under(imp, "github.com/hashicorp/hcl") || under(imp, "github.com/zclconf/go-cty")
			return language && !under(f.dir, "lang") && !under(f.dir, "cmd")
		}},
	{"providers import neither cmd nor lang",
		"a provider sees merged models only, never how they were written or shown",
		func(f goFile, imp string) bool {
			return under(f.dir, "providers") && (under(imp, "./cmd") || under(imp, "./lang"))
		}},
	{"providers do not import each other",
		"each backend can be read and removed alone; process is their shared runtime, sim their stand-in in tests",
		func(f goFile, imp string) bool {
			from, to := providerOf(f.dir), providerOf(strings.TrimPrefix(imp, "./"))
			shared := to == "process" || to == "providertest" || to == "sim" && f.test
			return ours(imp) && from != "" && to != "" && from != to && !shared
		}},
	{"test packages are imported by tests only",
		"the binary carries no test code and no test flags",
		func(f goFile, imp string) bool {
			return testPackage(imp) && !f.test && !testPackage(f.dir)
		}},
	{"cobra and pflag stay in cmd",
		"below cmd nothing knows that there is a command line",
		func(f goFile, imp string) bool { return under(imp, "github.com/spf13") && !under(f.dir, "cmd") }},
	{"color and go-diff stay in view",
		"one place decides how things look, so that text and JSON are drawn from the same data",
		func(f goFile, imp string) bool {
			look := under(imp, "github.com/fatih/color") || under(imp, "github.com/sergi/go-diff")
			return look && !under(f.dir, "cmd/loadout/internal/view")
		}},
}

// under reports whether the path p is root or lies below it.
func under(p, root string) bool { return p == root || strings.HasPrefix(p, root+"/") }

func ours(imp string) bool { return imp == "." || strings.HasPrefix(imp, "./") }

// providerOf returns the first folder below providers, "" for any other path
// and for the package providers itself, which lists them all.
func providerOf(dir string) string {
	below, ok := strings.CutPrefix(dir, "providers/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(below, "/")
	return name
}

// testPackage reports whether an import or folder holds code for tests:
// ours by name (providertest, ollamatest), and the libraries that we test with.
func testPackage(p string) bool {
	for _, lib := range []string{"testing", "github.com/google/go-cmp", "github.com/rogpeppe/go-internal/testscript"} {
		if under(p, lib) {
			return true
		}
	}
	return under(strings.TrimPrefix(p, "./"), "providers") && strings.HasSuffix(path.Base(p), "test")
}

// checkLayers returns one line for each breach of the rules in the module that
// root holds, sorted by file.
func checkLayers(root fs.FS) ([]string, error) {
	breaches, err := checkTopLevel(root)
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return skipFolder(root, name)
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		found, err := checkFile(root, name)
		breaches = append(breaches, found...)
		return err
	})
	slices.Sort(breaches)
	return breaches, err
}

// skipFolder passes over folders that are not part of the module's packages.
func skipFolder(root fs.FS, dir string) error {
	base := path.Base(dir)
	if dir != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata") {
		return fs.SkipDir
	}
	if _, err := fs.Stat(root, path.Join(dir, "go.mod")); dir != "." && err == nil {
		return fs.SkipDir
	}
	return nil
}

// checkFile applies the import rules, and the rule against init, to one file.
func checkFile(root fs.FS, name string) ([]string, error) {
	src, err := fs.ReadFile(root, name)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	file := goFile{dir: path.Dir(name), test: strings.HasSuffix(name, "_test.go")}
	var breaches []string
	breach := func(pos token.Pos, what, rule, why string) {
		breaches = append(breaches, fmt.Sprintf("%s:%d: %s: %s (%s)", name, fset.Position(pos).Line, what, rule, why))
	}
	for _, spec := range parsed.Imports {
		imp := relative(spec)
		for _, rule := range layerRules {
			if rule.broken(file, imp) {
				breach(spec.Pos(), "imports "+imp, rule.name, rule.why)
			}
		}
	}
	for _, decl := range parsed.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if ok && fn.Recv == nil && fn.Name.Name == "init" && !file.test {
			breach(fn.Pos(), "func init", "no init functions", "a reader of main sees all that happens, and start-up stays quick")
		}
	}
	return breaches, nil
}

// relative returns the import path, written "./x" when it is ours.
func relative(spec *ast.ImportSpec) string {
	imp, err := strconv.Unquote(spec.Path.Value)
	if err != nil { // the parser accepts string literals only
		panic(err)
	}
	if under(imp, module) {
		return "." + strings.TrimPrefix(imp, module)
	}
	return imp
}

// checkTopLevel names what stands in the root without being allowed there.
func checkTopLevel(root fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(root, ".")
	if err != nil {
		return nil, err
	}
	ignored, err := ignoredAtRoot(root)
	if err != nil {
		return nil, err
	}
	var breaches []string
	for _, entry := range entries {
		name := entry.Name()
		matches := func(pattern string) bool { ok, _ := path.Match(pattern, name); return ok }
		if strings.HasPrefix(name, ".") || slices.Contains(topLevel, name) || slices.ContainsFunc(ignored, matches) {
			continue
		}
		breaches = append(breaches, fmt.Sprintf("%s: stands in the root: the root holds only %s and dot-files (a newcomer sees the layers at first glance)",
			name, strings.Join(topLevel, ", ")))
	}
	return breaches, nil
}

// ignoredAtRoot returns the patterns of .gitignore that begin with a slash.
func ignoredAtRoot(root fs.FS) ([]string, error) {
	file, err := root.Open(".gitignore")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var patterns []string
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if pattern, ok := strings.CutPrefix(lines.Text(), "/"); ok {
			patterns = append(patterns, strings.TrimSuffix(pattern, "/"))
		}
	}
	return patterns, lines.Err()
}

// moduleRoot is the nearest folder upward that holds go.mod.
func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil && dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	t.Fatalf("no go.mod above the test's folder: %v", err)
	return ""
}

func TestLayers(t *testing.T) {
	breaches, err := checkLayers(os.DirFS(moduleRoot(t)))
	if err != nil {
		t.Fatal(err)
	}
	for _, breach := range breaches {
		t.Error(breach)
	}
}

// TestLayersAreNoticed breaks each rule once in memory, and stays just inside
// it once, so that a checker which sees nothing cannot pass.
func TestLayersAreNoticed(t *testing.T) {
	const us = module + "/"
	for _, tc := range []struct{ file, imports, breaks string }{
		{"engine/plan.go", us + "lang", "engine imports nothing"},
		{"engine/plan.go", us + "engine/store", "engine imports nothing"},
		{"engine/merge_test.go", us + "engine", ""},
		{"engine/apply/run.go", us + "lang", "what lies below engine"},
		{"engine/store/write.go", us + "providers/vllm", "what lies below engine"},
		{"engine/apply/run.go", us + "engine/store", ""},
		{"engine/plan_test.go", us + "providers/sim", "engine imports nothing"},
		{"engine/store/write.go", "os/exec", "no process"},
		{"engine/observe.go", "net/http/httptest", "no process"},
		{"engine/apply/kill_test.go", "os/exec", ""},
		{"lang/load.go", us + "providers", "lang imports only"},
		{"lang/load.go", us + "engine/store", "lang imports only"},
		{"lang/load.go", us + "lang/internal/funcs", ""},
		{"lang/parse.go", us + "engine/plainfile", ""},
		{"engine/merge.go", "github.com/zclconf/go-cty/cty", "HCL and cty stay"},
		{"providers/vllm/args.go", "github.com/hashicorp/hcl/v2", "HCL and cty stay"},
		{"cmd/loadout/main.go", "github.com/hashicorp/hcl/v2", ""},
		{"providers/vllm/args_test.go", us + "lang", "neither cmd nor lang"},
		{"providers/providers.go", us + "cmd/loadout/internal/view", "neither cmd nor lang"},
		{"providers/vllm/gpu.go", us + "providers/nvidia", "each other"},
		{"providers/vllm/serve.go", us + "providers/sim", "each other"},
		{"providers/vllm/serve_test.go", us + "providers/sim", ""},
		{"providers/vllm/serve.go", us + "providers/process", ""},
		{"providers/providers.go", us + "providers/vllm", ""},
		{"providers/vllm/serve.go", us + "providers/providertest", "tests only"},
		{"cmd/loadout/main.go", us + "providers/ollama/ollamatest", "tests only"},
		{"providers/ollama/ollamatest/server.go", us + "providers/providertest", ""},
		{"providers/providertest/suite.go", "testing", ""},
		{"engine/diff.go", "github.com/google/go-cmp/cmp", "tests only"},
		{"lang/load.go", "github.com/spf13/cobra", "cobra and pflag"},
		{"cmd/loadout/root.go", "github.com/spf13/cobra", ""},
		{"cmd/loadout/plan.go", "github.com/fatih/color", "color and go-diff"},
		{"engine/diff.go", "github.com/sergi/go-diff/diffmatchpatch", "color and go-diff"},
		{"cmd/loadout/internal/view/plan.go", "github.com/fatih/color", ""},
	} {
		expectBreach(t, tc.file, "package p\n\nimport _ "+strconv.Quote(tc.imports)+"\n", tc.breaks)
	}
	expectBreach(t, "engine/plan.go", "package p\n\nfunc init() {}\n", "no init functions")
	expectBreach(t, "engine/plan_test.go", "package p\n\nfunc init() {}\n", "")
	expectBreach(t, "engine/plan.go", "package p\n\nfunc (plan) init() {}\n", "")
	expectBreach(t, "pkg/plan.go", "package p\n", "the root holds only")
	expectBreach(t, "bin/loadout", "", "")
	expectBreach(t, ".ci/tools/tool.go", "package p\n\nfunc init() {}\n", "")
}

// expectBreach checks a module of one file and wants exactly one breach that
// names the file and the rule, or none when rule is empty.
func expectBreach(t *testing.T, file, src, rule string) {
	t.Helper()
	root := fstest.MapFS{
		".gitignore": {Data: []byte("/bin/\n")},
		"go.mod":     {Data: []byte("module " + module + "\n")},
		file:         {Data: []byte(src)},
	}
	breaches, err := checkLayers(root)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if rule == "" && len(breaches) == 0 {
		return
	}
	top, _, _ := strings.Cut(file, "/")
	if len(breaches) == 1 && rule != "" && strings.HasPrefix(breaches[0], top) && strings.Contains(breaches[0], rule) {
		return
	}
	t.Errorf("%s:\n%s\nwant a breach of %q, got %q", file, src, rule, breaches)
}
