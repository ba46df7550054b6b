package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func digests(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		sum := sha256.Sum256([]byte(contents(filepath.Join(dir, e.Name()))))
		all[e.Name()] = hex.EncodeToString(sum[:4])
	}
	return all
}

func TestWeightsAreTheSameBytes(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	for _, dir := range []string{a, b} {
		if err := WriteWeights(dir, Weights{Words: "one two", Shards: 2}); err != nil {
			t.Fatal(err)
		}
	}
	first, second := digests(t, a), digests(t, b)
	if len(first) != 7 {
		t.Errorf("%d files, want 7: %v", len(first), first)
	}
	for name, sum := range first {
		if second[name] != sum {
			t.Errorf("%s differs", name)
		}
	}
}

func TestWeightsSayTheirWords(t *testing.T) {
	for _, words := range []string{"hello", "the quick brown fox and the lazy dog", "again and again and again", "grüße an alle"} {
		dir := t.TempDir()
		if err := WriteWeights(dir, Weights{Words: words, Layers: 1}); err != nil {
			t.Fatal(err)
		}
		if got := say(t, dir); got != " "+words {
			t.Errorf("says %q, want %q", got, words)
		}
	}
}

// say asks the weights in this process.
func say(t *testing.T, dir string) string {
	t.Helper()
	c, err := openCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := openTokenizer(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := newSpeaker(c, tokens, "tiny")
	var b strings.Builder
	answer := s.answer(s.count("user: hi\nassistant:"), 100)
	for _, tok := range answer {
		b.WriteString(tok.text)
	}
	if !answer[len(answer)-1].end {
		t.Errorf("%s does not end", dir)
	}
	return b.String()
}

func TestLargeWeightsInShards(t *testing.T) {
	dir := t.TempDir()
	if err := WriteWeights(dir, Weights{Filler: 3, Shards: 4, Context: 4096, Layers: 3}); err != nil {
		t.Fatal(err)
	}
	c, err := openCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.shards) != 4 || c.shards[0] != "model-00001-of-00004.safetensors" {
		t.Errorf("shards %q", c.shards)
	}
	if got := c.weightBytes(); got < 3<<20 || got > 4<<20 {
		t.Errorf("%d bytes, want about 3 MiB", got)
	}
	for _, s := range c.shards {
		if h, err := readHeader(filepath.Join(dir, s)); err != nil || len(h.tensors) == 0 {
			t.Errorf("%s: %d tensors, %v", s, len(h.tensors), err)
		}
	}
	if got := say(t, dir); got != " hello from the stand-in" {
		t.Errorf("says %q", got)
	}
}

func TestWeightsRefused(t *testing.T) {
	for want, o := range map[string]Weights{
		"words are too many":  {Words: strings.Repeat("a b c d ", 1) + manyWords(70)},
		"shards are too many": {Shards: 99},
	} {
		if err := WriteWeights(t.TempDir(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func manyWords(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat("w", i+1) + " ")
	}
	return b.String()
}

func TestShardsLoadOneByOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := WriteWeights(dir, Weights{Shards: 3}); err != nil {
		t.Fatal(err)
	}
	s := launch(t, dir, nil).ready()
	inOrder(t, s.stderr(), "  0% Completed | 0/3", " 33% Completed | 1/3", " 66% Completed | 2/3", "100% Completed | 3/3")
}
