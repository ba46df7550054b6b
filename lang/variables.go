package lang

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// variable is a declared variable with the constraint on its values.
type variable struct {
	*block
	typ       cty.Type
	defaults  *typeexpr.Defaults // of optional object attributes
	sensitive bool
	nullable  bool
}

// variables gives every declared variable its value and puts them into the
// scope.
func (l *loader) variables() {
	declared := map[string]*variable{}
	for _, name := range slices.Sorted(maps.Keys(l.doc.variables)) {
		declared[name] = l.declareVariable(l.doc.variables[name])
	}
	given := l.givenValues(declared)
	values := make(map[string]cty.Value, len(declared))
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		v := declared[name]
		value := l.valueOf(v, given[name])
		if v.sensitive {
			l.scope.secrets.addAll(value)
			value = value.Mark(sensitive)
		}
		values[name] = value
	}
	l.scope.setVariables(values)
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		l.scope.validate(declared[name], values[name])
	}
}

// declareVariable reads everything but the default of a variable block.
func (l *loader) declareVariable(b *block) *variable {
	v := &variable{block: b, typ: cty.DynamicPseudoType, nullable: true}
	if a := b.attr("type"); a != nil {
		typ, defaults, diags := typeexpr.TypeConstraintWithDefaults(a.expr)
		l.add(diags...)
		v.typ, v.defaults = typ, defaults
	}
	v.sensitive = l.constantBool(b.attr("sensitive"), false)
	v.nullable = l.constantBool(b.attr("nullable"), true)
	if a := b.attr("description"); a != nil {
		if text, diags := a.expr.Value(nil); diags.HasErrors() || text.Type() != cty.String || text.IsNull() {
			l.add(errorAt(*a.at, "description must be a string", "Write it as plain text in quotes."))
		}
	}
	return v
}

func (l *loader) constantBool(a *attribute, otherwise bool) bool {
	if a == nil {
		return otherwise
	}
	v, diags := a.expr.Value(nil)
	if diags.HasErrors() || v.IsNull() || !v.IsKnown() || v.Type() != cty.Bool {
		l.add(errorAt(*a.at, a.name+" must be true or false", "It is read before any expression is evaluated, so it must be written out."))
		return otherwise
	}
	return v.True()
}

// given is a value from outside the block, the strongest source only.
type given struct {
	value cty.Value
	from  string     // for messages: "--var port", LOADOUT_VAR_port, a file
	at    *hcl.Range // in a file
}

// valueOf is the value of a variable: what was given, else the default. What
// fails is unknown, so that nothing else is reported because of it.
func (l *loader) valueOf(v *variable, g *given) cty.Value {
	if g != nil {
		if !g.value.IsNull() || v.nullable {
			return l.conform(v, g.value, g.at, g.from)
		}
		if v.attr("default") == nil {
			l.add(errorAt(v.def, "variable "+v.labels[0]+" may not be null", "%s gives null.", g.from))
			return cty.DynamicVal
		}
	}
	a := v.attr("default")
	if a == nil {
		l.add(errorAt(v.def, "no value for variable \""+v.labels[0]+"\"",
			"It has no default. Give it with --var %[1]s=…, in loadout.hclvars, or as LOADOUT_VAR_%[1]s.", v.labels[0]))
		return cty.DynamicVal
	}
	value, diags := a.expr.Value(l.scope.constants(a.src))
	if diags.HasErrors() {
		l.add(diags...)
		return cty.DynamicVal
	}
	if value.IsNull() && !v.nullable {
		l.add(errorAt(*a.at, "the default of variable "+v.labels[0]+" is null", "The variable says nullable = false."))
		return cty.DynamicVal
	}
	return l.conform(v, value, a.at, "the default")
}

// conform converts a value to the type of the variable. The message never shows
// a sensitive value nor the line on which it stands.
func (l *loader) conform(v *variable, value cty.Value, at *hcl.Range, from string) cty.Value {
	if v.defaults != nil && !value.IsNull() {
		value = v.defaults.Apply(value)
	}
	out, err := convert.Convert(value, v.typ)
	if err == nil {
		return out
	}
	subject := v.def
	if at != nil && !v.sensitive {
		subject = *at
	}
	l.add(errorAt(subject, "wrong type for variable \""+v.labels[0]+"\"", "%s must be %s: %s", capital(from),
		typeexpr.TypeString(v.typ), sentence(err.Error())))
	if v.sensitive {
		l.scope.secrets.addAll(value)
	}
	return cty.DynamicVal
}

// validate checks the validation blocks of a variable.
func (s *scope) validate(v *variable, value cty.Value) {
	if !value.IsWhollyKnown() {
		return
	}
	for _, part := range v.parts() {
		for _, b := range part.blocks {
			message, ok := s.assert(b, nil)
			if !ok {
				s.add(errorAt(*b.attr("condition").at, "wrong value for variable \""+v.labels[0]+"\"", "%s", message))
			}
		}
	}
}
