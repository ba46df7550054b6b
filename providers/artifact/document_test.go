package artifact

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loadoutdev/loadout/engine"
)

func art(source, revision string, complete bool) engine.Artifact {
	return engine.Artifact{Source: source, Revision: revision, Facts: engine.Facts{Complete: complete}}
}

func TestDocumentRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "discovered.json")
	if d, err := ReadFile(path); d != nil || err != nil {
		t.Fatalf("a missing file: %v %v", d, err)
	}
	d := &engine.Discovered{Artifacts: []engine.Artifact{art("hf://b/<c>", "2", true), art("hf://b/<c>", "1", false), art("file:///a", "", true)}}
	if err := WriteFile(path, d); err != nil {
		t.Fatal(err)
	}
	got, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := &engine.Discovered{FormatVersion: "1.0", Artifacts: []engine.Artifact{d.Artifacts[2], d.Artifacts[1], d.Artifacts[0]}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	data, _ := os.ReadFile(path)
	if !strings.HasSuffix(string(data), "}\n") || !strings.Contains(string(data), "<c>") {
		t.Errorf("not canonical:\n%s", data)
	}
}

func TestUnchangedFileIsNotTouched(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "facts.json"), filepath.Join(dir, "discovered.json")
	if err := os.Symlink("facts.json", link); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, &engine.Discovered{}); err != nil {
		t.Fatal(err)
	}
	old := time.Unix(1_000_000_000, 0)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(link, &engine.Discovered{}); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(path); !info.ModTime().Equal(old) {
		t.Errorf("rewritten at %s", info.ModTime())
	}
	if err := WriteFile(link, &engine.Discovered{Artifacts: []engine.Artifact{art("file:///a", "", true)}}); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(link); err != nil || target != "facts.json" {
		t.Errorf("the link became a file: %v", err)
	}
	if d, err := ReadFile(path); err != nil || len(d.Artifacts) != 1 {
		t.Errorf("got %v, %v", d, err)
	}
}

func TestReadFileRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "discovered.json")
	for content, want := range map[string]string{
		"":                          ":1 is not a document of facts: it ends too early (move it away and run loadout discover to write it anew)",
		"{\n\"artifacts\": 7\n}":    ":2 is not a document of facts: ",
		"{}":                        ` has format_version ""; this Loadout reads 1.0 (run loadout discover`,
		`{"format_version": "2.3"}`: ` has format_version "2.3"; this Loadout reads 1.0`,
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFile(path); err == nil || !strings.HasPrefix(err.Error(), path+want) {
			t.Errorf("%q: %v", content, err)
		}
	}
	if err := os.WriteFile(path, []byte(`{"format_version":"1.9","added":1,"artifacts":[{"source":"hf://a","later":true}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if d, err := ReadFile(path); err != nil || len(d.Artifacts) != 1 {
		t.Errorf("a later minor version: %v %v", d, err)
	}
	if _, err := ReadFile(t.TempDir()); err == nil {
		t.Error("a directory was read")
	}
}

func TestCompare(t *testing.T) {
	old := &engine.Discovered{Artifacts: []engine.Artifact{
		art("file:///same", "", true), art("file:///moved", commitA, true), art("hf://o/n", commitA, true), art("ollama://x", "d1", true),
	}}
	now := &engine.Discovered{Artifacts: []engine.Artifact{
		art("file:///same", "", true), art("file:///moved", commitB, true), art("hf://o/n", commitB, false), art("ollama://x", "d2", true),
	}}
	want := Summary{
		Found:      []string{"file:///moved", "file:///same", "hf://o/n@" + commitB, "ollama://x"},
		New:        []string{"hf://o/n@" + commitB},
		Changed:    []string{"file:///moved", "ollama://x"},
		Gone:       []string{"hf://o/n@" + commitA},
		Incomplete: []string{"hf://o/n@" + commitB},
	}
	if d := cmp.Diff(want, Compare(old, now)); d != "" {
		t.Error(d)
	}
	if s := Compare(nil, now); len(s.New) != 4 || len(s.Changed)+len(s.Gone) != 0 {
		t.Errorf("from nothing: %+v", s)
	}
	if s := Compare(now, now); len(s.New)+len(s.Changed)+len(s.Gone) != 0 {
		t.Errorf("with itself: %+v", s)
	}
}
