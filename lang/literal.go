package lang

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/loadoutdev/loadout/engine"
)

// literal is the value of an expression that is written out, found without a
// scope: most values of most files.
func literal(expr hcl.Expression) (engine.Value, bool) {
	switch e := expr.(type) {
	case *hclsyntax.LiteralValueExpr:
		return literalValue(e.Val)
	case *hclsyntax.TemplateExpr:
		if !e.IsStringLiteral() {
			return nil, false
		}
		return literalValue(e.Parts[0].(*hclsyntax.LiteralValueExpr).Val)
	case *hclsyntax.TupleConsExpr:
		list := make([]any, len(e.Exprs))
		for i, sub := range e.Exprs {
			v, ok := literal(sub)
			if !ok {
				return nil, false
			}
			list[i] = v
		}
		return list, true
	}
	return nil, false
}

func literalValue(v cty.Value) (engine.Value, bool) {
	switch {
	case v.IsMarked() || !v.IsKnown():
		return nil, false
	case v.IsNull():
		return nil, true
	case v.Type() == cty.String:
		return v.AsString(), true
	case v.Type() == cty.Bool:
		return v.True(), true
	case v.Type() == cty.Number:
		out, ok, err := (*scope)(nil).number(v.AsBigFloat(), false)
		return out, ok && err == nil
	}
	return nil, false
}

// item is one key of an object that is written out.
type item struct {
	key   string
	value hcl.Expression
	at    hcl.Range // key to end of value
}

// items are the keys of an object that is written out; ok is false for any
// other expression, also for one whose keys depend on each.
func (b *builder) items(expr hcl.Expression) ([]item, bool) {
	switch e := expr.(type) {
	case *hclsyntax.ObjectConsExpr:
		items := make([]item, 0, len(e.Items))
		for _, it := range e.Items {
			key, ok := b.key(it.KeyExpr)
			if !ok {
				return nil, false
			}
			items = append(items, item{key, it.ValueExpr, hcl.RangeBetween(it.KeyExpr.Range(), it.ValueExpr.Range())})
		}
		return items, true
	case hclsyntax.Expression:
		return nil, false
	}
	pairs, diags := hcl.ExprMap(expr) // JSON
	if diags.HasErrors() {
		return nil, false
	}
	items := make([]item, 0, len(pairs))
	for _, p := range pairs {
		key, ok := b.key(p.Key)
		if !ok {
			return nil, false
		}
		items = append(items, item{key, p.Value, hcl.RangeBetween(p.Key.Range(), p.Value.Range())})
	}
	return items, true
}

// key is the text of a key. A key that has to be computed is evaluated, unless
// it reads each.
func (b *builder) key(expr hcl.Expression) (string, bool) {
	if key, ok := writtenKey(expr); ok {
		return key, true
	}
	if b.hasEach && readsEach(expr) {
		return "", false
	}
	ctx, ok := b.contextOf(expr, b.src, "")
	if !ok {
		return "", false
	}
	v, diags := expr.Value(ctx)
	if diags.HasErrors() || v.IsMarked() || !v.IsKnown() || v.IsNull() || v.Type() != cty.String {
		return "", false
	}
	return v.AsString(), true
}

// repeated reports keys that are written twice in one object: HCL would take
// the last one without a word.
func (s *scope) repeated(items []item) {
	keys := make([]string, len(items))
	for i, it := range items {
		keys[i] = it.key
	}
	slices.Sort(keys)
	if len(slices.Compact(keys)) == len(items) {
		return
	}
	first := map[string]hcl.Range{}
	for _, it := range items {
		if before, ok := first[it.key]; ok {
			s.add(errorAt(it.at, "the key \""+it.key+"\" is set twice", "It is set at %s already.", place(before)))
			continue
		}
		first[it.key] = it.at
	}
}

// repeatedKeys does the same for every object inside an expression.
func (s *scope) repeatedKeys(expr hcl.Expression) {
	node, ok := expr.(hclsyntax.Node)
	if !ok {
		return
	}
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		object, ok := n.(*hclsyntax.ObjectConsExpr)
		if !ok || len(object.Items) < 2 {
			return nil
		}
		items := make([]item, 0, len(object.Items))
		for _, it := range object.Items {
			if key, ok := writtenKey(it.KeyExpr); ok {
				items = append(items, item{key: key, at: it.KeyExpr.Range()})
			}
		}
		s.repeated(items)
		return nil
	})
}
