package lang

import (
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/loadoutdev/loadout/engine"
)

// quick evaluates the expressions that a large for_each consists of: each.key,
// each.value.a, texts and lists made of them. It gives exactly what HCL gives;
// ok is false for everything else, including every mistake, which HCL explains
// better.
func (s *scope) quick(expr hcl.Expression, ctx *hcl.EvalContext, e *each) (engine.Value, bool) {
	switch x := expr.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		return s.quickReference(x.Traversal, ctx, e)
	case *hclsyntax.TemplateWrapExpr:
		return s.quick(x.Wrapped, ctx, e)
	case *hclsyntax.TemplateExpr:
		return s.quickTemplate(x, ctx, e)
	case *hclsyntax.TupleConsExpr:
		list := make([]any, len(x.Exprs))
		for i, sub := range x.Exprs {
			v, ok := s.quick(sub, ctx, e)
			if !ok {
				return nil, false
			}
			list[i] = v
		}
		return list, true
	}
	return literal(expr)
}

// quickReference follows attributes of objects that are not sensitive.
func (s *scope) quickReference(t hcl.Traversal, ctx *hcl.EvalContext, e *each) (engine.Value, bool) {
	first, ok := stepName(t, 1)
	if !ok {
		return nil, false
	}
	var v cty.Value
	switch {
	case t.RootName() != "each":
		v, ok = ctx.Variables[t.RootName()]
		if !ok {
			return nil, false
		}
		v, ok = attributeOf(v, first)
	case first == "key":
		if len(t) == 2 {
			return e.key, true
		}
		return nil, false
	default:
		v = e.value
	}
	for i := 2; ok && i < len(t); i++ {
		step, isAttr := t[i].(hcl.TraverseAttr)
		if !isAttr {
			return nil, false
		}
		v, ok = attributeOf(v, step.Name)
	}
	if !ok || v.ContainsMarked() {
		return nil, false
	}
	out, ok, err := s.toValue(v, false)
	return out, ok && err == nil
}

// attributeOf is the attribute of an object; false leaves the case to HCL.
func attributeOf(v cty.Value, name string) (cty.Value, bool) {
	if v.IsMarked() || v.IsNull() || !v.IsKnown() || !v.Type().IsObjectType() || !v.Type().HasAttribute(name) {
		return cty.NilVal, false
	}
	return v.GetAttr(name), true
}

// quickTemplate joins strings, whole numbers and booleans.
func (s *scope) quickTemplate(t *hclsyntax.TemplateExpr, ctx *hcl.EvalContext, e *each) (engine.Value, bool) {
	var b strings.Builder
	for _, part := range t.Parts {
		v, ok := s.quick(part, ctx, e)
		if !ok {
			return nil, false
		}
		switch v := v.(type) {
		case string:
			b.WriteString(v)
		case int64:
			b.WriteString(strconv.FormatInt(v, 10))
		case bool:
			b.WriteString(strconv.FormatBool(v))
		default:
			return nil, false
		}
	}
	return cty.NormalizeString(b.String()), true
}

// constant is the value of an expression that is written out in full, such as a
// large map of a locals block, without asking what it refers to.
func constant(expr hcl.Expression) (cty.Value, bool) {
	switch x := expr.(type) {
	case *hclsyntax.LiteralValueExpr:
		return x.Val, true
	case *hclsyntax.TemplateExpr:
		if x.IsStringLiteral() {
			return x.Parts[0].(*hclsyntax.LiteralValueExpr).Val, true
		}
	case *hclsyntax.TupleConsExpr:
		values := make([]cty.Value, len(x.Exprs))
		for i, sub := range x.Exprs {
			v, ok := constant(sub)
			if !ok {
				return cty.NilVal, false
			}
			values[i] = v
		}
		return cty.TupleVal(values), true
	case *hclsyntax.ObjectConsExpr:
		values := make(map[string]cty.Value, len(x.Items))
		for _, it := range x.Items {
			key, ok := writtenKey(it.KeyExpr)
			if !ok {
				return cty.NilVal, false
			}
			if values[key], ok = constant(it.ValueExpr); !ok {
				return cty.NilVal, false
			}
		}
		// A key that is written twice is for the caller to report.
		return cty.ObjectVal(values), len(values) == len(x.Items)
	}
	return cty.NilVal, false
}

// writtenKey is a key of an object that is written out: a word or a string.
func writtenKey(expr hcl.Expression) (string, bool) {
	k, ok := expr.(*hclsyntax.ObjectConsKeyExpr)
	if !ok || k.ForceNonLiteral {
		return "", false
	}
	if t, ok := k.Wrapped.(*hclsyntax.ScopeTraversalExpr); ok {
		return t.Traversal.RootName(), len(t.Traversal) == 1
	}
	if v, ok := literal(k.Wrapped); ok {
		text, ok := v.(string)
		return text, ok
	}
	return "", false
}
