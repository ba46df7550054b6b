package lang

import (
	"errors"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// mark is a property of a value that follows it through expressions.
type mark string

// sensitive marks values that no output may show.
const sensitive mark = "sensitive"

// secretSet holds the plain texts of sensitive values, so that no message
// shows them.
type secretSet map[string]bool

func (s secretSet) add(text string) {
	if text != "" {
		s[text] = true
	}
}

// addAll adds every string and number inside a value.
func (s secretSet) addAll(v cty.Value) {
	v, _ = v.UnmarkDeep()
	_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) {
		if v.IsKnown() && !v.IsNull() && (v.Type() == cty.String || v.Type() == cty.Number) {
			if text, err := convert.Convert(v, cty.String); err == nil {
				s.add(text.AsString())
			}
		}
		return true, nil
	})
}

func (s secretSet) sorted() []string { return slices.Sorted(maps.Keys(s)) }

// concealed takes the details out of what went wrong with an expression that
// reads a sensitive value: the message of a function may quote its argument.
func concealed(diags hcl.Diagnostics, expr hcl.Expression, ctx *hcl.EvalContext) hcl.Diagnostics {
	for _, t := range expr.Variables() {
		if v, _ := t.TraverseAbs(ctx); v.ContainsMarked() {
			for _, d := range diags {
				d.Detail = "The details are not shown, because the expression reads a sensitive value."
			}
			return diags
		}
	}
	return diags
}

// errSecretKeys says why an object that hides as a whole cannot be used.
var errSecretKeys = errors.New("the keys of the object depend on a sensitive value, and keys are shown: write them out (KEY = var.secrets.KEY)")

// secretKey finds a key of an object in the JSON syntax that is sensitive, which
// HCL does not expect there and crashes on. In the native syntax the mark goes
// over to the object.
func secretKey(expr hcl.Expression, ctx *hcl.EvalContext) *hcl.Diagnostic {
	if _, native := expr.(hclsyntax.Expression); native {
		return nil
	}
	pairs, diags := hcl.ExprMap(expr)
	if !diags.HasErrors() {
		for _, p := range pairs {
			if key, _ := p.Key.Value(ctx); key.IsMarked() {
				return errorAt(p.Key.Range(), "a key is sensitive", "%s", sentence(errSecretKeys.Error()))
			}
			if d := secretKey(p.Value, ctx); d != nil {
				return d
			}
		}
		return nil
	}
	list, diags := hcl.ExprList(expr)
	if diags.HasErrors() {
		return nil
	}
	for _, e := range list {
		if d := secretKey(e, ctx); d != nil {
			return d
		}
	}
	return nil
}
