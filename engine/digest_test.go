package engine

import (
	"encoding/json"
	"testing"
)

// The hand-written encoder gives the bytes of encoding/json.
func TestDigesterWritesCanonicalJSON(t *testing.T) {
	for _, v := range []Value{
		nil, true, int64(-7), 0.85, 1e21, 3.0, "plain", "quote \" back \\ tab \t é < & \u2028", "",
		[]any{}, []any{int64(1), "a", nil}, map[string]any{}, map[string]any{"b": int64(1), "a": []any{map[string]any{"x": false}}},
		NewSecret("w", "s"),
	} {
		var d digester
		d.value(v)
		if want := string(CanonicalJSON(v)); string(d.buf) != want || !json.Valid(d.buf) {
			t.Errorf("%s, want %s", d.buf, want)
		}
	}
}

// Every field of a launch is covered: changing any one changes the digest.
func TestLaunchDigestCoversEverything(t *testing.T) {
	seen := map[string]string{}
	for name, l := range map[string]Launch{
		"zero": {}, "backend": {Backend: "x"}, "argv": {Argv: []string{"x"}}, "env": {Env: map[string]any{"x": "y"}},
		"files": {Files: []File{{Name: "x", SHA256: "y"}}}, "settings": {Settings: map[string]any{"x": int64(1)}}, "url": {URL: "x"},
		"model": {Model: "x"}, "served": {Served: []string{"x"}}, "host": {Host: "x"}, "port": {Port: 1}, "gpus": {GPUs: []string{"x"}}, "artifact": {Artifact: "x"},
	} {
		d := l.Digest()
		if other, taken := seen[d]; taken {
			t.Errorf("%s and %s have one digest", name, other)
		}
		seen[d] = name
	}
}
