package view

import (
	"encoding/json"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// formatted writes a value on one line the way the language writes it. Secrets
// are their hash wherever they stand; null is "null".
func (s *Screen) formatted(v engine.Value) string {
	switch v := v.(type) {
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = s.formatted(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		parts := make([]string, 0, len(v))
		for _, k := range sortedKeys(v) {
			parts = append(parts, s.formatted(k)+": "+s.formatted(v[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case string:
		return `"` + s.clean(strings.ReplaceAll(strings.ReplaceAll(v, `\`, `\\`), `"`, `\"`)) + `"`
	}
	return s.clean(engine.FormatValue(v))
}

// brief is a value that may not take more than n columns: a text of several
// lines is described, anything else is cut.
func (s *Screen) brief(v engine.Value, n int) string {
	if t, ok := v.(string); ok && strings.Contains(t, "\n") {
		return "(text, " + Count(len(lines(t)), "line") + ")"
	}
	return s.shorten(s.formatted(v), n)
}

// lines splits a text; a final line break ends the last line.
func lines(t string) []string {
	return strings.Split(strings.TrimSuffix(t, "\n"), "\n")
}

// structured reads a string that is itself a JSON object or array, as backends
// take them on the command line.
func structured(v engine.Value) (engine.Value, bool) {
	t, ok := v.(string)
	if !ok || !strings.HasPrefix(t, "{") && !strings.HasPrefix(t, "[") {
		return nil, false
	}
	dec := json.NewDecoder(strings.NewReader(t))
	dec.UseNumber()
	var doc any
	if dec.Decode(&doc) != nil || dec.More() {
		return nil, false
	}
	return engine.Normalize(doc), true
}
