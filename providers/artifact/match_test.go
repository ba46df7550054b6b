package artifact

import (
	"testing"

	"github.com/loadoutdev/loadout/engine"
)

func TestMatch(t *testing.T) {
	snap := func(repo, commit, evidence string) engine.Artifact {
		a := art("hf://"+repo, commit, true)
		a.Path = "/hub/" + repo + "/" + commit
		a.Evidence = map[string]string{"revision": evidence}
		return a
	}
	artifacts := []engine.Artifact{
		snap("o/two", commitA, "refs/v1.0"),
		snap("o/two", commitB, "refs/dev, refs/main"),
		snap("o/one", commitC, "snapshots/"+commitC),
		snap("o/loose", commitA, "snapshots/"+commitA),
		snap("o/loose", commitB, "refs/refs/pr/1"),
		{Source: "file:///models/a b", Facts: engine.Facts{Path: "/models/a b"}},
		{Source: "ollama://qwen2.5:0.5b", Revision: "sha256:1"},
		{Source: "ollama://registry.ollama.ai/library/llama3:latest", Revision: "sha256:2"},
	}
	for _, tc := range []struct {
		source string
		want   int // index, or -1
	}{
		{"hf://o/two", 1},
		{"hf://o/two/", 1},
		{"hf://o/two@" + commitA, 0},
		{"hf://o/two@v1.0", 0},
		{"hf://o/two@main", 1},
		{"hf://o/two@v2", -1},
		{"hf://o/one", 2},
		{"hf://o/one@main", -1},
		{"hf://o/loose", -1},
		{"hf://o/loose@refs/pr/1", 4},
		{"hf://o/tw", -1},
		{"file:///models/a b", 5},
		{"file:///models//x/../a b/", 5},
		{"file:///hub/o/one/" + commitC, 2},
		{"file:///models", -1},
		{"ollama://qwen2.5:0.5b", 6},
		{"ollama://library/qwen2.5:0.5b", 6},
		{"ollama://qwen2.5", -1},
		{"ollama://llama3", 7},
		{"ollama://Llama3:latest", 7},
		{"ollama://llama3@sha256:2", 7},
		{"ollama://llama3@sha256:3", -1},
		{"", -1}, {"hf://", -1}, {"s3://o/two", -1}, {"o/two", -1},
	} {
		got, ok := Index(&engine.Discovered{Artifacts: artifacts})(tc.source)
		switch {
		case ok != (tc.want >= 0):
			t.Errorf("%s: matched %v", tc.source, ok)
		case ok && (got.Source != artifacts[tc.want].Source || got.Revision != artifacts[tc.want].Revision):
			t.Errorf("%s: got %s@%s", tc.source, got.Source, got.Revision)
		}
	}
}

func TestIndexOfNothing(t *testing.T) {
	if a, ok := Index(nil)("hf://o/one"); ok {
		t.Errorf("found %+v", a)
	}
}

func TestDefaultHFCache(t *testing.T) {
	environ := []string{
		"HOME=/home/u", "XDG_CACHE_HOME=/xdg", "HF_HOME=~/hf", "HUGGINGFACE_HUB_CACHE=/old", "HF_HUB_CACHE=/new",
	}
	for n, want := range []string{
		"", "/home/u/.cache/huggingface/hub", "/xdg/huggingface/hub", "/home/u/hf/hub", "/old", "/new",
	} {
		if got := DefaultHFCache(environ[:n]); got != want {
			t.Errorf("%v: got %q, want %q", environ[:n], got, want)
		}
	}
	if got := DefaultHFCache([]string{"HOME=/home/u", "HF_HOME="}); got != "/home/u/.cache/huggingface/hub" {
		t.Errorf("an empty variable counts as unset: %q", got)
	}
}
