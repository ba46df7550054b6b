package lang

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/loadoutdev/loadout/engine"
)

// check is a check block; its assertions wait for the merged models.
type check struct {
	name     string
	severity engine.Severity
	asserts  []*section
	origin   engine.Origin
}

// checks reads the check blocks, sorted by name. An override file that has
// assertions replaces those of the block.
func (s *scope) checks() []check {
	var out []check
	for _, name := range slices.Sorted(maps.Keys(s.doc.checks)) {
		b := s.doc.checks[name]
		c := check{name: name, severity: engine.SeverityError, origin: blockOrigin(b.section, engine.LayerModel, name)}
		if a := b.attr("severity"); a != nil {
			c.severity = engine.Severity(s.text(a))
			if c.severity != engine.SeverityError && c.severity != engine.SeverityWarning {
				s.add(errorAt(*a.at, "wrong value for severity", "It must be \"error\" or \"warning\"."))
			}
		}
		for _, part := range b.parts() {
			if len(part.blocks) > 0 {
				c.asserts = part.blocks
			}
		}
		if len(c.asserts) == 0 {
			s.add(errorAt(b.def, "check \""+name+"\" asserts nothing", "Add a block: assert { condition = … } with an error_message."))
		}
		out = append(out, c)
	}
	return out
}

// Checks evaluates the check blocks on the merged models, which expressions see
// as the list "models", sorted by name. A check with several assertions has the
// messages of all that fail, one a line.
func (l *Loaded) Checks(models []engine.Model) ([]engine.CheckResult, hcl.Diagnostics) {
	if len(l.checks) == 0 {
		return nil, nil
	}
	s := l.scope
	before := len(s.diags)
	extra := map[string]cty.Value{"models": modelList(models)}
	results := make([]engine.CheckResult, 0, len(l.checks))
	for _, c := range l.checks {
		r := engine.CheckResult{Name: c.name, Severity: c.severity, Origin: c.origin, Passed: true}
		var failures []string
		for _, a := range c.asserts {
			if message, ok := s.assert(a, extra); !ok {
				r.Passed = false
				failures = append(failures, message)
			}
		}
		r.Message = redact(strings.Join(failures, "\n"), l.Sensitive)
		results = append(results, r)
	}
	return results, tidy(slices.Clone(s.diags[before:]), l.Sensitive)
}

// assert evaluates a condition; when it does not hold, ok is false and message
// is the error message. What cannot be evaluated is reported and does not hold.
func (s *scope) assert(b *section, extra map[string]cty.Value) (message string, ok bool) {
	condition, text := b.attr("condition"), b.attr("error_message")
	if condition == nil || text == nil {
		return "", true // reported by the reader
	}
	value := s.evalWith(condition, extra)
	value, _ = value.Unmark()
	if !value.IsKnown() {
		return "the condition cannot be evaluated", false
	}
	if value.IsNull() || value.Type() != cty.Bool {
		s.add(errorAt(*condition.at, "condition must be true or false", "%s", s.valueHint(value)))
		return "the condition is neither true nor false", false
	}
	if value.True() {
		return "", true
	}
	said := s.evalWith(text, extra)
	switch {
	case said.IsMarked():
		s.add(errorAt(*text.at, "error_message is sensitive", "It would be shown. Say what is wrong without the value."))
	case said.IsKnown() && !said.IsNull() && said.Type() == cty.String:
		return said.AsString(), false
	case said.IsKnown():
		s.add(errorAt(*text.at, "error_message must be a string", "%s", s.valueHint(said)))
	}
	return "", false
}

// evalWith evaluates with further names in scope.
func (s *scope) evalWith(a *attribute, extra map[string]cty.Value) cty.Value {
	root := ""
	for name := range extra {
		root = name // there is at most one
	}
	ctx, ok := s.contextOf(a.expr, a.src, root)
	if !ok {
		return cty.DynamicVal
	}
	ctx = ctx.NewChild()
	ctx.Variables = extra
	if d := secretKey(a.expr, ctx); d != nil {
		s.add(d)
		return cty.DynamicVal
	}
	value, diags := a.expr.Value(ctx)
	if diags.HasErrors() {
		s.add(concealed(diags, a.expr, ctx)...)
		return cty.DynamicVal
	}
	return value
}
