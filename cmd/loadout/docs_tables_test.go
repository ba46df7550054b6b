package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loadoutdev/loadout/cmd/loadout/internal/view"
	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/apply"
	"github.com/loadoutdev/loadout/providers/process"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// part is what stands between the markers <!-- name --> and <!-- end -->.
func part(t *testing.T, text, name string) (from, to int) {
	t.Helper()
	marker := "<!-- " + name + " -->\n"
	from = strings.Index(text, marker)
	if from < 0 {
		t.Fatalf("README.md has no %s", marker)
	}
	from += len(marker)
	return from, from + strings.Index(text[from:], "<!-- end -->")
}

// TestReadmeTables compares the tables that the code knows better.
func TestReadmeTables(t *testing.T) {
	for name, want := range map[string]string{"attributes": attributeTable(), "exit codes": exitCodeTable()} {
		text := readme(t)
		from, to := part(t, text, name)
		if text[from:to] == want {
			continue
		}
		if !*update {
			t.Errorf("the table of %s in README.md is not the one of the code (go test -update rewrites it):\n%s", name, want)
			continue
		}
		if err := os.WriteFile(filepath.Join(root, "README.md"), []byte(text[:from]+want+text[to:]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func attributeTable() string {
	var b strings.Builder
	b.WriteString("| attribute | type | in | a change costs | |\n|---|---|---|---|---|\n")
	for _, a := range engine.Attributes {
		var in []string
		for i, name := range []string{"backend", "model", "profile", "serve"} {
			if a.In&(1<<i) != 0 {
				in = append(in, name)
			}
		}
		kind := string(a.Type)
		if a.Name == "lifecycle" { // the one that is written as a block
			kind = "block"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", a.Name, kind, strings.Join(in, ", "), a.Effect, a.Doc)
	}
	return b.String()
}

func exitCodeTable() string {
	var b strings.Builder
	b.WriteString("| code | means |\n|---|---|\n")
	for _, l := range strings.Split(exitTable, "\n")[1:] {
		code, means, _ := strings.Cut(strings.TrimSpace(l), " ")
		fmt.Fprintf(&b, "| %s | %s |\n", code, strings.TrimSpace(means))
	}
	return b.String()
}

// TestReadmeEnvironment: the pass-list of the README is that of the code.
func TestReadmeEnvironment(t *testing.T) {
	text := readme(t)
	from, to := part(t, text, "environment")
	listed := quotedWords(text[from:to])
	for _, name := range listed {
		if !process.Passed(strings.ReplaceAll(name, "*", "X")) {
			t.Errorf("README.md says that %s is passed on, and it is not", name)
		}
	}
	source, err := os.ReadFile(filepath.Join(root, "providers/process/environ.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"([A-Za-z_]{2,})"`).FindAllStringSubmatch(string(source), -1) {
		if process.Passed(m[1]) && !slices.Contains(listed, m[1]) && !slices.Contains(listed, m[1]+"*") {
			t.Errorf("%s is passed on, and README.md does not list it", m[1])
		}
	}
}

func quotedWords(text string) []string {
	var words []string
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(text, -1) {
		words = append(words, m[1])
	}
	return words
}

// TestReadmeFunctions: every function that the README lists can be called, and
// the list is complete.
func TestReadmeFunctions(t *testing.T) {
	text := readme(t)
	from := strings.Index(text, "Functions: ")
	listed := quotedWords(text[from : from+strings.Index(text[from:], "\n\n")])
	if len(listed) < 60 {
		t.Fatalf("only %d functions are listed", len(listed))
	}
	var hcl strings.Builder
	for i, name := range listed {
		fmt.Fprintf(&hcl, "locals {\n  f%d = %s()\n}\n", i, name)
	}
	_, said := inDir(t, map[string]string{"a.hcl": hcl.String()}, "validate")
	for _, m := range regexp.MustCompile(`no function named ("\S+")`).FindAllStringSubmatch(said, -1) {
		t.Errorf("README.md lists %s, which is no function", m[1])
	}
	for _, file := range []string{"funcs.go", "funcfiles.go"} {
		source, err := os.ReadFile(filepath.Join(root, "lang", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"([a-z0-9]+)": +[a-zA-Z.]+Func`).FindAllStringSubmatch(string(source), -1) {
			if !slices.Contains(listed, m[1]) {
				t.Errorf("README.md does not list the function %s", m[1])
			}
		}
	}
}

// inDir runs loadout in a new directory with these files.
func inDir(t *testing.T, files map[string]string, args ...string) (code int, said string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[name]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return loadout(append([]string{"-C", dir}, args...)...)
}

// loadout runs a command; what it says is both streams.
func loadout(args ...string) (code int, said string) {
	var out bytes.Buffer
	code = run(args, streams{in: strings.NewReader(""), out: &out, err: &out, environ: []string{
		"HOME=/home/ann", "LANG=C.UTF-8", "LOADOUT_VAR_api_key=example",
	}})
	return code, out.String()
}

// TestReadmeJSON: the fields that the README names are those of the documents.
func TestReadmeJSON(t *testing.T) {
	for name, got := range documentFields(t) {
		row := regexp.MustCompile(`(?m)^\| ` + name + ` \|[^|]*\|([^|]*)\|$`).FindStringSubmatch(readme(t))
		if row == nil {
			t.Errorf("README.md does not describe the document %s", name)
			continue
		}
		if want := slices.Sorted(slices.Values(quotedWords(row[1]))); !slices.Equal(want, got) {
			t.Errorf("%s: README.md names\n%v, the document has\n%v", name, want, got)
		}
	}
}

// documentFields are the fields of each document at its top, sorted.
func documentFields(t *testing.T) map[string][]string {
	t.Helper()
	now := time.Now()
	write := func(print func(io.Writer) error) []byte {
		var b bytes.Buffer
		if err := print(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	docs := map[string][]byte{
		"result": write(func(w io.Writer) error { return view.ApplyJSON(w, &engine.Plan{}, &apply.Result{}) }),
		"explain": write(func(w io.Writer) error {
			return view.ExplainJSON(w, engine.Explanation{Pid: 1, Since: &now, Note: "x"})
		}),
		"list":        write(func(w io.Writer) error { return view.ListJSON(w, nil) }),
		"drift":       write(func(w io.Writer) error { return view.DriftJSON(w, "", nil) }),
		"snapshot":    write(func(w io.Writer) error { return view.JSON(w, engine.Snapshot{}) }),
		"facts":       write(func(w io.Writer) error { return view.JSON(w, engine.Discovered{}) }),
		"diagnostics": write(func(w io.Writer) error { return view.DiagnosticsJSON(w, nil, nil) }),
	}
	code, said := loadout("-C", t.TempDir(), "discover", "--json", t.TempDir())
	if code != 0 {
		t.Fatalf("discover: %s", said)
	}
	docs["discovery"] = []byte(said)
	fields := map[string][]string{}
	for name, b := range docs {
		fields[name] = topFields(t, b)
	}
	schema, err := os.ReadFile("internal/view/schema/plan.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var plan struct{ Properties json.RawMessage }
	if err := json.Unmarshal(schema, &plan); err != nil {
		t.Fatal(err)
	}
	fields["plan"] = topFields(t, plan.Properties)
	return fields
}

func topFields(t *testing.T, document []byte) []string {
	t.Helper()
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(document, &doc); err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(doc))
}
