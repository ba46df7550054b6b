package lang

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// contextOf checks what an expression refers to, evaluates it and returns the
// context in which the expression has its value. extra is a further root that
// the caller will add ("each", "models"). ok is false when something it refers
// to does not exist.
func (s *scope) contextOf(expr hcl.Expression, src *source, extra string) (*hcl.EvalContext, bool) {
	refs := expr.Variables()
	ctx := s.root(src)
	if len(refs) == 0 {
		return ctx, true
	}
	need := needs{locals: map[string]cty.Value{}, models: map[headerKey]bool{}}
	ok := true
	for _, t := range refs {
		ok = s.reference(t, extra, &need) && ok
	}
	if !ok {
		return nil, false
	}
	if len(need.models) == 0 && len(need.locals) == 0 {
		return ctx, true
	}
	child := ctx.NewChild()
	child.Variables = map[string]cty.Value{}
	if len(need.locals) > 0 {
		child.Variables["local"] = cty.ObjectVal(need.locals)
	}
	if len(need.models) > 0 {
		child.Variables["model"] = s.modelObject(need.models)
	}
	return child, true
}

// needs are the locals and the attributes of models that an expression reads.
type needs struct {
	locals map[string]cty.Value // only until all locals are evaluated
	models map[headerKey]bool
}

// reference checks one traversal.
func (s *scope) reference(t hcl.Traversal, extra string, need *needs) bool {
	switch root := t.RootName(); root {
	case "var":
		return member(s, t, "variable", s.vars)
	case "local":
		return s.localReference(t, need)
	case "model":
		return s.modelReference(t, need)
	case "workspace":
		return member(s, t, "attribute of workspace", map[string]bool{"name": true})
	case "path":
		return member(s, t, "attribute of path", map[string]bool{"root": true})
	case "each":
		if extra != "each" {
			s.add(errorAt(t.SourceRange(), "each outside of for_each", "each.key and each.value exist in a model or serve block that has for_each."))
			return false
		}
		return member(s, t, "attribute of each", map[string]bool{"key": true, "value": true})
	default:
		return root == extra || s.unknownRoot(root, t)
	}
}

// member checks the name after the root; a computed one is left to the
// evaluation.
func member[V any](s *scope, t hcl.Traversal, what string, members map[string]V) bool {
	name, ok := stepName(t, 1)
	if !ok {
		return true
	}
	if _, exists := members[name]; exists {
		return true
	}
	names := slices.Sorted(maps.Keys(members))
	detail := "Known are: " + quoted(names) + "."
	if len(names) == 0 {
		detail = "None is declared."
	}
	if guess := didYouMean(name, names); guess != "" {
		detail = strings.TrimSpace(guess)
	}
	s.add(errorAt(t.SourceRange(), fmt.Sprintf("there is no %s %q", what, name), "%s", detail))
	return false
}

// stepName is the literal name at a step of a traversal: .name or ["name"].
func stepName(t hcl.Traversal, i int) (string, bool) {
	if i >= len(t) {
		return "", false
	}
	switch step := t[i].(type) {
	case hcl.TraverseAttr:
		return step.Name, true
	case hcl.TraverseIndex:
		if step.Key.Type() == cty.String {
			return step.Key.AsString(), true
		}
	}
	return "", false
}

func (s *scope) localReference(t hcl.Traversal, need *needs) bool {
	if !member(s, t, "local", s.doc.locals) {
		return false
	}
	if s.allReady {
		return true
	}
	if name, ok := stepName(t, 1); ok {
		need.locals[name] = s.local(name)
		return true
	}
	for _, name := range slices.Sorted(maps.Keys(s.doc.locals)) {
		need.locals[name] = s.local(name)
	}
	return true
}

// unknownRoot reports a name that starts no reference. A bare word is most
// often a string without quotes.
func (s *scope) unknownRoot(root string, t hcl.Traversal) bool {
	roots := []string{"each", "local", "model", "path", "var", "workspace"}
	detail := "References start with " + strings.Join(roots, ", ") + "."
	switch {
	case s.doc.variables[root] != nil:
		detail = "Write var." + root + "."
	case s.doc.locals[root] != nil:
		detail = "Write local." + root + "."
	case root == "locals":
		detail = "The block is locals; a reference is local.NAME."
	case root == "env":
		detail = "Nothing is read from the environment but LOADOUT_VAR_NAME, for a variable block."
	case len(t) == 1:
		detail = fmt.Sprintf("If it is text, put it into quotes: %q. %s", root, detail)
	default:
		detail += didYouMean(root, roots)
	}
	s.add(errorAt(t.SourceRange(), fmt.Sprintf("unknown name %q", root), "%s", detail))
	return false
}
