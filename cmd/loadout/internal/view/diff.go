package view

import (
	"slices"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// diffLine is one line of a structured difference.
type diffLine struct {
	mark byte // '+', '-', '@' heading, ' ' context or an old → new pair
	text string
}

// inlineMost is how many columns "old → new" may take beside its path.
const inlineMost = 44

// difference shows how a value changed: on one line where that can be read,
// else as lines made for its kind. At least one of the two is empty.
func (s *Screen) difference(path string, before, after engine.Value) (inline string, block []diffLine) {
	if b := s.byKind(path, before, after); b != nil {
		return "", b
	}
	was, is := s.formatted(before), s.formatted(after)
	switch {
	case before == nil:
		inline = "+ " + is
	case after == nil:
		inline = "- " + was
	default:
		inline = was + " " + s.glyphs().arrow + " " + is
	}
	if cells(inline) <= inlineMost {
		return inline, nil
	}
	if before != nil {
		block = append(block, diffLine{'-', was})
	}
	if after != nil {
		block = append(block, diffLine{'+', is})
	}
	return "", block
}

// byKind chooses the diff that suits both values; nil when none does.
func (s *Screen) byKind(path string, before, after engine.Value) []diffLine {
	if isArgumentList(path, before, after) {
		return s.flagDiff(words(before), words(after))
	}
	if x, ok := structured(before); ok {
		if y, ok := structured(after); ok {
			before, after = x, y
		}
	}
	switch a := after.(type) {
	case map[string]any:
		if b, ok := before.(map[string]any); ok {
			return s.keyDiff(b, a)
		}
	case []any:
		if b, ok := before.([]any); ok {
			return s.listDiff(b, a)
		}
	}
	if multiline(before) || multiline(after) {
		return s.textDiff(asText(before), asText(after))
	}
	return nil
}

func multiline(v engine.Value) bool {
	t, ok := v.(string)
	return ok && strings.Contains(t, "\n")
}

func asText(v engine.Value) string {
	t, _ := v.(string)
	return t
}

// keyDiff compares objects key by key, whatever the order and the layout.
func (s *Screen) keyDiff(before, after map[string]any) []diffLine {
	was, is := map[string]engine.Value{}, map[string]engine.Value{}
	var paths []string
	flatten := func(into map[string]engine.Value, m map[string]any) {
		engine.Flatten("", m, func(path string, v engine.Value) {
			into[path] = v
			paths = append(paths, path)
		})
	}
	flatten(was, before)
	flatten(is, after)
	slices.Sort(paths)
	var out []diffLine
	same := 0
	for _, path := range slices.Compact(paths) {
		b, had := was[path]
		a, has := is[path]
		switch {
		case path == "": // one side is an empty object
		case had && has && engine.EqualValues(b, a):
			same++
		case had && has:
			out = append(out, diffLine{' ', s.clean(path) + "  " + s.formatted(b) + " " + s.glyphs().arrow + " " + s.formatted(a)})
		case had:
			out = append(out, diffLine{'-', s.clean(path) + "  " + s.formatted(b)})
		default:
			out = append(out, diffLine{'+', s.clean(path) + "  " + s.formatted(a)})
		}
	}
	if out == nil {
		out = append(out, diffLine{' ', "the same values, written differently"})
	}
	return unchanged(out, same, "key")
}

// listDiff compares lists element by element, in order. Elements that did not
// move are only counted.
func (s *Screen) listDiff(before, after []any) []diffLine {
	was, is := make([]string, len(before)), make([]string, len(after))
	for i, v := range before {
		was[i] = s.formatted(v)
	}
	for i, v := range after {
		is[i] = s.formatted(v)
	}
	var out []diffLine
	same := 0
	for _, l := range sequence(was, is) {
		if l.mark == ' ' {
			same++
			continue
		}
		out = append(out, l)
	}
	return unchanged(out, same, "element")
}

func unchanged(out []diffLine, same int, noun string) []diffLine {
	if same > 0 {
		out = append(out, diffLine{' ', Count(same, noun) + " unchanged"})
	}
	return out
}
