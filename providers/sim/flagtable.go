package sim

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
)

//go:embed serve_flags.tsv
var serveFlags string

//go:embed names.txt
var knownNames string

// flag is one option of `vllm serve`.
type flag struct {
	names    []string // in the parser's order; of a pair, --no-x comes second
	values   string   // how many values: "1", "0", "?" or "+"
	kind     string   // str, int, float, json, json-object, …; "optional:" takes None too
	fallback any      // default, decoded from JSON
	choices  []any
}

// dest is the name under which the value is kept: the first long name with
// underscores, as argparse makes it.
func (f *flag) dest() string {
	for _, n := range f.names {
		if strings.HasPrefix(n, "--") {
			return strings.ReplaceAll(n[2:], "-", "_")
		}
	}
	return strings.TrimLeft(f.names[0], "-")
}

// label is how messages name the option.
func (f *flag) label() string { return strings.Join(f.names, "/") }

// flagTable holds the options in order and by name.
type flagTable struct {
	ordered []*flag
	byName  map[string]*flag
}

// loadFlags decodes the embedded table. It is the program's own data, so a
// mistake in it is a bug and panics.
func loadFlags() flagTable {
	t := flagTable{byName: map[string]*flag{}}
	for line := range strings.Lines(serveFlags) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := decodeFlag(strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
		t.ordered = append(t.ordered, f)
		for _, n := range f.names {
			t.byName[n] = f
		}
	}
	return t
}

func decodeFlag(columns []string) *flag {
	f := &flag{names: strings.Fields(columns[0]), values: columns[1], kind: columns[2]}
	mustJSON(columns[3], &f.fallback)
	if columns[4] != "" {
		mustJSON(columns[4], &f.choices)
	}
	if n, ok := f.fallback.(float64); ok && f.kind != "float" {
		f.fallback = int64(n)
	}
	return f
}

func mustJSON(text string, into any) {
	if err := json.Unmarshal([]byte(text), into); err != nil {
		panic(fmt.Sprintf("serve_flags.tsv: %q: %v", text, err))
	}
}

// names gives one list of names that vLLM knows (tool_call_parsers, …).
func names(list string) []string {
	for line := range strings.Lines(knownNames) {
		if words := strings.Fields(line); len(words) > 0 && words[0] == list {
			return words[1:]
		}
	}
	return nil
}

// match finds the options that an argument may mean, as argparse does: the
// exact name, the name before "=", or any long name that begins like it. It
// returns the matched names in the table's order and the value after "=".
func (t flagTable) match(arg string) (matched []string, value string, hasValue bool) {
	if t.byName[arg] != nil {
		return []string{arg}, "", false
	}
	name, value, hasValue := strings.Cut(arg, "=")
	if t.byName[name] != nil {
		return []string{name}, value, hasValue
	}
	if !strings.HasPrefix(arg, "--") {
		return nil, "", false
	}
	for _, f := range t.ordered {
		for _, n := range f.names {
			if strings.HasPrefix(n, name) {
				matched = append(matched, n)
			}
		}
	}
	return matched, value, hasValue
}
