package lang

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/loadoutdev/loadout/engine"
)

// modelNode is a model block and, once expanded, its instances.
type modelNode struct {
	*block
	label     string
	done      bool
	instances []*instance
	byKey     map[string]*instance // of a block with for_each
	disabled  bool                 // enabled = false, for all of it
}

// instance is one model: a block without for_each, or one key of it.
type instance struct {
	node *modelNode
	name string
	each *each // nil without for_each
}

// hasEach tells whether the block stands for several models.
func (n *modelNode) hasEach() bool { return n.attr("for_each") != nil }

// address is how expressions and messages name the instance.
func (i *instance) address() string {
	path := engine.JoinPath("model", i.node.label)
	if i.each != nil {
		path += fmt.Sprintf("[%q]", i.each.key)
	}
	return path
}

// expand makes the instances of a model block.
func (s *scope) expand(n *modelNode) {
	if n.done {
		return
	}
	if !s.enter(engine.JoinPath("model", n.label), n.def) {
		return
	}
	defer s.leave()
	eaches := s.elements(n.block)
	n.instances = make([]*instance, 0, len(eaches))
	if n.hasEach() {
		n.byKey = make(map[string]*instance, len(eaches))
	}
	name, renamed := s.nameBlank(n)
	enabled := s.enabling(n.block)
	for _, e := range eaches {
		if !enabled(e) {
			n.disabled = e == nil
			continue
		}
		inst := &instance{node: n, each: e, name: n.label}
		if e != nil {
			inst.name = fmt.Sprintf("%s[%q]", n.label, e.key)
			n.byKey[e.key] = inst
		}
		if renamed {
			s.rename(inst, &name)
		}
		n.instances = append(n.instances, inst)
	}
	n.done = true
}

// expandAll expands every model and finds names that are taken twice.
func (s *scope) expandAll() {
	if s.expanded {
		return
	}
	s.expanded = true
	for _, label := range slices.Sorted(maps.Keys(s.models)) {
		n := s.models[label]
		s.expand(n)
		for _, inst := range n.instances {
			if other := s.index[inst.name]; other != nil {
				s.add(errorAt(n.def, fmt.Sprintf("two models are named %q", inst.name),
					"%s and %s (%s) have the same name.", inst.address(), other.address(), place(other.node.def)))
				continue
			}
			s.index[inst.name] = inst
		}
	}
}

// rename applies the attribute name, which only a block with for_each may have.
func (s *scope) rename(inst *instance, b *blank) {
	a := inst.node.attr("name")
	v, ok, err := s.valueFor(b, inst.each)
	if err == nil && !ok {
		return
	}
	name, isString := v.(string)
	if !isString || name == "" {
		s.add(errorAt(*a.at, "name must be a string", "For each.key %q it is %s.", inst.each.key, describe(v)))
		return
	}
	inst.name = name
}

// nameBlank is the attribute name of a block with for_each; ok is false without
// one.
func (s *scope) nameBlank(n *modelNode) (b blank, ok bool) {
	a := n.attr("name")
	switch {
	case a == nil:
		return blank{}, false
	case !n.hasEach():
		s.add(errorAt(*a.at, "name needs for_each", "The name of a single model is the label of its block."))
		return blank{}, false
	}
	return s.newBlank(a.expr, a.src)
}

// elements evaluates for_each; a block without one has a single nil element.
func (s *scope) elements(b *block) []*each {
	a := b.attr("for_each")
	if a == nil {
		return []*each{nil}
	}
	value := s.eval(a.expr, a.src, nil)
	if value.IsMarked() {
		s.add(errorAt(*a.at, "for_each is sensitive", "Its keys become names that everybody sees."))
		return nil
	}
	if !value.IsKnown() {
		return nil
	}
	if problem := eachProblem(value); problem != "" {
		s.add(errorAt(*a.at, "for_each must be a map or a set of strings", "%s", problem))
		return nil
	}
	eaches := make([]*each, 0, value.LengthInt())
	for it := value.ElementIterator(); it.Next(); {
		key, v := it.Element()
		if key.IsNull() || !key.IsKnown() {
			s.add(errorAt(*a.at, "for_each has a key that is null", "Every key must be a string."))
			continue
		}
		eaches = append(eaches, &each{key: key.AsString(), value: v})
	}
	return eaches
}

func eachProblem(v cty.Value) string {
	ty := v.Type()
	switch {
	case v.IsNull():
		return "The value is null. For nothing write {}."
	case ty.IsMapType() || ty.IsObjectType():
		return ""
	case ty.IsSetType() && (ty.ElementType() == cty.String || v.LengthInt() == 0):
		return ""
	case ty.IsListType() || ty.IsTupleType():
		return "The value is a list; models need keys that stay the same when the order changes. Write toset(…) around a list of strings."
	}
	return "The value is " + ty.FriendlyName() + "."
}

// enabling tells for each key whether a block is enabled; it is without the
// attribute.
func (s *scope) enabling(b *block) func(*each) bool {
	a := b.attr("enabled")
	switch {
	case a == nil:
		return func(*each) bool { return true }
	case b.attr("for_each") == nil:
		return func(*each) bool { return s.boolean(a, nil) }
	}
	condition, ok := s.newBlank(a.expr, a.src)
	return func(e *each) bool {
		if !ok {
			return true
		}
		v, known, err := s.valueFor(&condition, e)
		on, isBool := v.(bool)
		if !isBool && (known || err != nil) {
			s.add(errorAt(*a.at, "enabled must be true or false", "For each.key %q it is %s.", e.key, describe(v)))
		}
		return on || !isBool
	}
}

// boolean evaluates an attribute that must be true or false.
func (s *scope) boolean(a *attribute, e *each) bool {
	value := s.eval(a.expr, a.src, e)
	if !value.IsKnown() {
		return true
	}
	if value.IsMarked() || value.IsNull() || value.Type() != cty.Bool {
		s.add(errorAt(*a.at, a.name+" must be true or false", "%s", s.valueHint(value)))
		return true
	}
	return value.True()
}

// valueHint describes a value that is wrong, without showing a sensitive one.
func (s *scope) valueHint(v cty.Value) string {
	out, _, err := s.toValue(v, false)
	if err != nil {
		return sentence(err.Error())
	}
	return "It is " + describe(out) + "."
}

// rangeOf is the range of an attribute, or of the block when it has none.
func rangeOf(a *attribute, b *block) hcl.Range {
	if a != nil {
		return *a.at
	}
	return b.def
}
