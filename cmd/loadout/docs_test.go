package main

import (
	"flag"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the outputs in the documents, and the plans of the examples")

const root = "../.."

// TestDocuments follows each document as a reader would: it writes the files
// that are shown, types the commands, and compares what they print. A block
//
//	```hcl NAME      is a file
//	```hcl           is a fragment, in canonical form
//	```console       is what a person sees: "$ " before a command, then its output
//
// and nothing else is run. A line that is only "…" stands for any number of
// lines. A command must succeed, unless the line says otherwise (; echo $?).
func TestDocuments(t *testing.T) {
	for _, path := range documents(t) {
		t.Run(filepath.ToSlash(path), func(t *testing.T) {
			t.Parallel()
			newReader(t, path).read()
		})
	}
}

func documents(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "examples", "*", "README.md"))
	if err != nil || len(paths) < 5 {
		t.Fatalf("the examples are gone: %v %v", paths, err)
	}
	return append(paths, filepath.Join(root, "README.md"))
}

// block is a fenced block of a document.
type block struct {
	info  []string // words of the info string
	first int      // line of its content, from 0
	lines []string
}

// blocks finds the fenced blocks.
func blocks(lines []string) []block {
	var out []block
	for i := 0; i < len(lines); i++ {
		info, ok := strings.CutPrefix(lines[i], "```")
		if !ok {
			continue
		}
		end := i + 1
		for end < len(lines) && lines[end] != "```" {
			end++
		}
		out = append(out, block{strings.Fields(info), i + 1, lines[i+1 : min(end, len(lines))]})
		i = end
	}
	return out
}

// varying is what differs from run to run and from machine to machine.
var varying = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}`), "UUID"},
	{regexp.MustCompile(`\b[0-9a-f]{64}\b`), "SHA256"},
	{regexp.MustCompile(`\bplan [0-9a-f]{8}\b`), "plan DIGEST"},
	{regexp.MustCompile(`\bpid \d+`), "pid N"},
	{regexp.MustCompile(`"pid": \d+`), `"pid": N`},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:[\d.]+Z)?`), "TIME"},
	{regexp.MustCompile(`(about |under |~)?\b\d+(\.\d+)? s\b`), "N s"},
	{regexp.MustCompile(`[ \t]+`), " "},
}

func normal(lines []string) []string {
	text := strings.Join(lines, "\n")
	for _, v := range varying {
		text = v.pattern.ReplaceAllString(text, v.with)
	}
	lines = strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimSpace(l)
	}
	return lines
}

// matches tells whether got is want, where "…" stands for any lines.
func matches(want, got []string) bool {
	if len(want) == 0 {
		return len(got) == 0
	}
	if want[0] == "…" {
		for i := range len(got) + 1 {
			if matches(want[1:], got[i:]) {
				return true
			}
		}
		return false
	}
	return len(got) > 0 && got[0] == want[0] && matches(want[1:], got[1:])
}
