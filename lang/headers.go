package lang

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/loadoutdev/loadout/engine"
)

// headerNames are the attributes of a model that other expressions may read:
// what is known before anything is merged or planned.
var headerNames = map[string]bool{
	"backend": true, "endpoint": true, "host": true, "name": true, "port": true, "served_name": true, "source": true,
}

// headerKey names an attribute of an instance. any stands for all.
type headerKey struct{ label, key, attr string }

// any cannot be written as a label, key or attribute.
const anything = "\x00"

// modelReference checks model.x.port, model["x"].port and model.x["key"].port,
// and notes what must be evaluated for it.
func (s *scope) modelReference(t hcl.Traversal, need *needs) bool {
	key := headerKey{anything, anything, anything}
	defer func() { need.models[key] = true }()
	label, ok := stepName(t, 1)
	if !ok {
		return true
	}
	n := s.models[label]
	if n == nil {
		return member(s, t, "model", s.models)
	}
	key.label = label
	next := 2
	if n.hasEach() {
		k, ok := stepName(t, next)
		if !ok {
			return true
		}
		if !s.keyExists(n, k, t) {
			return false
		}
		key.key = k
		next++
	}
	attr, ok := stepName(t, next)
	if !ok {
		return true
	}
	key.attr = attr
	if !headerNames[attr] {
		s.add(errorAt(t.SourceRange(), fmt.Sprintf("there is no readable attribute %q of a model", attr), "Expressions may read %s.%s",
			quoted(slices.Sorted(maps.Keys(headerNames))), didYouMean(attr, slices.Sorted(maps.Keys(headerNames)))))
		return false
	}
	return true
}

func (s *scope) keyExists(n *modelNode, key string, t hcl.Traversal) bool {
	s.expand(n)
	if !n.done || n.byKey[key] != nil {
		return true
	}
	keys := slices.Sorted(maps.Keys(n.byKey))
	s.add(errorAt(t.SourceRange(), fmt.Sprintf("model %q has no key %q", n.label, key), "Its for_each has %s.%s", quoted(keys), didYouMean(key, keys)))
	return false
}

// modelObject is the value of "model" with what an expression needs of it.
func (s *scope) modelObject(need map[headerKey]bool) cty.Value {
	labels := map[string]map[headerKey]bool{}
	for key := range need {
		if key.label == anything {
			for label := range s.models {
				noteNeed(labels, label, key)
			}
			continue
		}
		noteNeed(labels, key.label, key)
	}
	object := make(map[string]cty.Value, len(labels))
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		object[label] = s.nodeObject(s.models[label], labels[label])
	}
	return cty.ObjectVal(object)
}

func noteNeed(labels map[string]map[headerKey]bool, label string, key headerKey) {
	if labels[label] == nil {
		labels[label] = map[headerKey]bool{}
	}
	labels[label][key] = true
}

func (s *scope) nodeObject(n *modelNode, need map[headerKey]bool) cty.Value {
	s.expand(n)
	if !n.done {
		return cty.DynamicVal
	}
	if !n.hasEach() {
		if len(n.instances) == 0 {
			return cty.DynamicVal
		}
		return s.instanceObject(n.instances[0], need)
	}
	object := map[string]cty.Value{}
	for _, inst := range n.instances {
		object[inst.each.key] = s.instanceObject(inst, need)
	}
	return cty.ObjectVal(object)
}

func (s *scope) instanceObject(inst *instance, need map[headerKey]bool) cty.Value {
	object := map[string]cty.Value{}
	for _, attr := range slices.Sorted(maps.Keys(headerNames)) {
		for key := range need {
			here := key.key == anything || inst.each == nil || key.key == inst.each.key
			if here && (key.attr == anything || key.attr == attr) {
				object[attr] = s.header(inst, attr)
				break
			}
		}
	}
	return cty.ObjectVal(object)
}

// header evaluates one readable attribute of an instance.
func (s *scope) header(inst *instance, attr string) cty.Value {
	id := headerKey{inst.node.label, "", attr}
	if inst.each != nil {
		id.key = inst.each.key
	}
	if v, ok := s.headers[id]; ok {
		return v
	}
	if !s.enter(inst.address()+"."+attr, rangeOf(inst.node.attr(attr), inst.node.block)) {
		return cty.DynamicVal
	}
	value := s.headerValue(inst, attr)
	s.leave()
	s.headers[id] = value
	return value
}

func (s *scope) headerValue(inst *instance, attr string) cty.Value {
	switch attr {
	case "name":
		return cty.StringVal(inst.name)
	case "served_name":
		if v := s.served(inst, attr); v != cty.NilVal {
			return v
		}
		return cty.StringVal(inst.name)
	case "host":
		if v := s.served(inst, attr); v != cty.NilVal {
			return v
		}
		return cty.StringVal("127.0.0.1")
	case "endpoint":
		return s.endpoint(inst)
	}
	v := s.served(inst, attr)
	switch {
	case v == cty.NilVal && s.workspace == "" && attr == "port":
		return cty.UnknownVal(cty.Number)
	case v == cty.NilVal:
		return cty.NullVal(cty.DynamicPseudoType)
	case attr == "source" && v.Type() == cty.String && v.IsKnown() && !v.IsNull() && !v.IsMarked():
		return cty.StringVal(absoluteSource(v.AsString(), inst.node.attr(attr).src.base, s.home))
	}
	return v
}

// served evaluates an attribute in the serve block of the instance, else in its
// model block; NilVal when neither has it.
func (s *scope) served(inst *instance, attr string) cty.Value {
	if a, ok := engine.LookupAttribute(attr); ok && a.In&engine.InServe != 0 {
		if sv := s.servedBy(inst); sv != nil {
			if a := sv.block.attr(attr); a != nil {
				return written(s.eval(a.expr, a.src, sv.each))
			}
		}
	}
	if a := inst.node.attr(attr); a != nil {
		return written(s.eval(a.expr, a.src, inst.each))
	}
	return cty.NilVal
}

// written is NilVal for an explicit null, which unsets whatever is below.
func written(v cty.Value) cty.Value {
	if v.IsKnown() && v.IsNull() {
		return cty.NilVal
	}
	return v
}

// endpoint is the base URL at which the model answers: of its own server, or of
// the service that runs it.
func (s *scope) endpoint(inst *instance) cty.Value {
	port, host := s.header(inst, "port"), s.header(inst, "host")
	if !port.IsKnown() || !host.IsKnown() || port.IsMarked() || host.IsMarked() {
		return cty.UnknownVal(cty.String)
	}
	if port.IsNull() {
		return s.backendURL(s.header(inst, "backend"))
	}
	text, err := convert.Convert(port, cty.Number)
	address, err2 := convert.Convert(host, cty.String)
	if err != nil || err2 != nil || address.IsNull() {
		return cty.DynamicVal // reported where the port is written
	}
	n, _ := text.AsBigFloat().Int64()
	name := address.AsString()
	if ip := net.ParseIP(name); ip != nil && ip.IsUnspecified() {
		name = "127.0.0.1"
	}
	return cty.StringVal("http://" + net.JoinHostPort(name, strconv.FormatInt(n, 10)))
}

func (s *scope) backendURL(kind cty.Value) cty.Value {
	none := cty.NullVal(cty.String)
	if !kind.IsKnown() || kind.IsNull() || kind.IsMarked() || kind.Type() != cty.String {
		return none
	}
	b := s.doc.backends[kind.AsString()]
	if b == nil || b.attr("url") == nil {
		return none
	}
	a := b.attr("url")
	return s.eval(a.expr, a.src, nil)
}
