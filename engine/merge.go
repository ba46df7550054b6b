package engine

import (
	"fmt"
	"slices"
	"strings"
)

// merger keeps the room that merging takes from one model to the next.
type merger struct{ acc, next []ranked }

// merge makes one model of its layers, by four rules: objects merge key by key;
// scalars and lists replace whole; an explicit null unsets; two layers that
// disagree on whether a field is an object, a list or a scalar are an error
// that names both places. layers come weakest first.
func (m *merger) merge(name string, layers []Layer) ([]Leaf, []Problem) {
	m.acc = m.acc[:0]
	for rank, layer := range layers {
		m.overlay(layer, rank)
	}
	settled, problems := settle(name, m.acc)
	leaves := make([]Leaf, len(settled))
	for i := range settled {
		leaves[i] = settled[i].Leaf
	}
	return leaves, problems
}

// ranked is a leaf with the index of the layer that it came from.
type ranked struct {
	Leaf
	rank int
}

// overlay merges one more layer, path by path, into acc. Both are sorted.
func (m *merger) overlay(layer Layer, rank int) {
	out, i := m.next[:0], 0
	for _, a := range layer {
		for i < len(m.acc) && m.acc[i].Path < a.Path {
			out = append(out, m.acc[i])
			i++
		}
		next := ranked{Leaf{Path: a.Path, Value: a.Value, Origin: a.Origin}, rank}
		if i < len(m.acc) && m.acc[i].Path == a.Path {
			next.Overrides = prepend(m.acc[i].Leaf)
			i++
		}
		out = append(out, next)
	}
	out = append(out, m.acc[i:]...)
	m.acc, m.next = out, m.acc
}

// prepend puts a loser before the losers that it had beaten itself.
func prepend(loser Leaf) []Override {
	return append([]Override{{Value: loser.Value, Origin: loser.Origin}}, loser.Overrides...)
}

// settle resolves leaves that lie under another leaf: an empty object gives
// way, the later of a null and a value wins, a scalar or list is a conflict. It
// also finds fields whose kind changed between layers.
func settle(model string, acc []ranked) ([]ranked, []Problem) {
	var problems []Problem
	var drop map[int]bool
	remove := func(i int) {
		if drop == nil {
			drop = map[int]bool{}
		}
		drop[i] = true
	}
	for i := range acc {
		leaf := &acc[i]
		if p, bad := kindConflict(model, leaf.Leaf); bad {
			problems = append(problems, p)
		}
		for base := parent(leaf.Path); base != ""; base = parent(base) {
			j, found := slices.BinarySearchFunc(acc, base, func(r ranked, p string) int { return strings.Compare(r.Path, p) })
			if !found {
				continue
			}
			above := &acc[j]
			switch {
			case above.Value == nil && above.rank > leaf.rank: // unset from above
				leaf.Overrides = prepend(leaf.Leaf)
				leaf.Value, leaf.Origin, leaf.rank = nil, above.Origin, above.rank
				remove(j)
			case above.Value == nil || isObject(above.Value):
				remove(j)
			case leaf.Value == nil:
				remove(i)
			default:
				problems = append(problems, conflict(model, base, leaf.Leaf, above.Leaf))
			}
		}
	}
	if len(drop) == 0 {
		return acc, problems
	}
	kept := acc[:0]
	for i := range acc {
		if !drop[i] {
			kept = append(kept, acc[i])
		}
	}
	return kept, problems
}

// parent cuts the last key off a path; "" when there is none above.
func parent(path string) string {
	if strings.HasSuffix(path, "]") {
		if n := strings.LastIndex(path, `["`); n > 0 {
			return path[:n]
		}
	}
	if n := strings.LastIndexByte(path, '.'); n > 0 {
		return path[:n]
	}
	return ""
}

// kindConflict compares a leaf with the nearest value that it overrode.
func kindConflict(model string, l Leaf) (Problem, bool) {
	if l.Value == nil {
		return Problem{}, false
	}
	for _, o := range l.Overrides {
		if o.Value == nil {
			continue
		}
		if kindOf(o.Value) != kindOf(l.Value) {
			return conflict(model, l.Path, l, Leaf{Path: l.Path, Value: o.Value, Origin: o.Origin}), true
		}
		return Problem{}, false
	}
	return Problem{}, false
}

func conflict(model, path string, a, b Leaf) Problem {
	ka, kb := kindOf(a.Value), kindOf(b.Value)
	if a.Path != path {
		ka = "an object"
	}
	if b.Path != path {
		kb = "an object"
	}
	return Problem{
		Severity: SeverityError, Code: "type_conflict", Model: model, Path: path, Origin: a.Origin,
		Summary: fmt.Sprintf("%s is %s here and %s in %s", path, ka, kb, b.Origin.Place()),
		Detail:  "Layers merge field by field, so a field must have one kind. Give both the same kind, or unset the lower one with null in a layer between them.",
	}
}

func kindOf(v Value) string {
	switch v.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	}
	return "a single value"
}

func isObject(v Value) bool {
	_, ok := v.(map[string]any)
	return ok
}
