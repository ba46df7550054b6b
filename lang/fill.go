package lang

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/loadoutdev/loadout/engine"
)

// blank is an expression that reads each, ready to be evaluated for every key.
type blank struct {
	expr hcl.Expression
	ctx  *hcl.EvalContext
	src  *source

	// Of a field: its place in the layer and its attribute.
	at   int
	attr *engine.Attribute
}

// readsEach tells whether an expression depends on the key.
func readsEach(expr hcl.Expression) bool {
	return slices.ContainsFunc(expr.Variables(), func(t hcl.Traversal) bool { return t.RootName() == "each" })
}

// newBlank checks what an expression refers to, once for all keys.
func (s *scope) newBlank(expr hcl.Expression, src *source) (blank, bool) {
	s.repeatedKeys(expr)
	ctx, ok := s.contextOf(expr, src, "each")
	return blank{expr: expr, ctx: ctx, src: src}, ok
}

// valueFor evaluates a blank for one key.
func (s *scope) valueFor(b *blank, e *each) (engine.Value, bool, error) {
	if v, ok := s.quick(b.expr, b.ctx, e); ok {
		return v, true, nil
	}
	return s.toValue(s.evalIn(b.expr, b.ctx, e), false)
}

// fill makes the layer of one key. A form without blanks is shared.
func (s *scope) fill(f *form, e *each) engine.Layer {
	if len(f.blanks) == 0 {
		return f.layer
	}
	layer := slices.Clone(f.layer)
	var gone []int
	for i := range f.blanks {
		b := &f.blanks[i]
		v, ok, err := s.valueFor(b, e)
		switch {
		case err != nil:
			s.blame(errorAt(hcl.Range{}, "wrong value for "+layer[b.at].Path, "%s", sentence(err.Error())), &layer[b.at], e)
		case ok && hasOnePath(layer[b.at].Path, b.attr, v):
			if s.fillOne(&layer[b.at], b, v, e) {
				continue
			}
		case ok:
			layer = s.fillObject(layer, b, v, e)
		}
		gone = append(gone, b.at)
	}
	return without(layer, gone)
}

// hasOnePath tells whether a value is one leaf of the layer.
func hasOnePath(path string, attr *engine.Attribute, v engine.Value) bool {
	_, isObject := v.(map[string]any)
	return v == nil || attr.Type != engine.TypeObject || !isObject && path != attr.Name
}

func (s *scope) fillOne(a *engine.Assignment, b *blank, v engine.Value, e *each) bool {
	checked, problem := s.check(a.Path, b.attr, v, b.src)
	if problem != nil {
		s.blame(problem, a, e)
		return false
	}
	a.Value = checked
	return true
}

// fillObject adds the leaves of a computed object after the layer, which is
// put in order when its blank is taken out.
func (s *scope) fillObject(layer engine.Layer, b *blank, v engine.Value, e *each) engine.Layer {
	blank := layer[b.at]
	problem := s.settle(blank.Path, b.attr, v, b.src, func(path string, v engine.Value) {
		layer = append(layer, engine.Assignment{Path: path, Value: v, Origin: blank.Origin})
	})
	if problem != nil {
		s.blame(problem, &blank, e)
	}
	return layer
}

// blame gives a problem its place and the key that it was found with.
func (s *scope) blame(problem *hcl.Diagnostic, a *engine.Assignment, e *each) {
	problem.Subject = rangeOfOrigin(a.Origin)
	problem.Detail += " (each.key is \"" + e.key + "\")"
	s.add(problem)
}

// without drops the given indexes and restores the order.
func without(layer engine.Layer, gone []int) engine.Layer {
	if len(gone) == 0 {
		return layer
	}
	slices.Sort(gone)
	for _, i := range slices.Backward(gone) {
		layer = slices.Delete(layer, i, i+1)
	}
	sortLayer(layer)
	return layer
}
