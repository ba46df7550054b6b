package lang

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// serving says which instance is served by which serve block.
type serving struct {
	byName map[string]*serve // by name of the instance
}

// serve is one serve block, or one key of it.
type serve struct {
	block *block
	each  *each
}

// servedBy is the serve block of an instance; nil when it is not served.
func (s *scope) servedBy(inst *instance) *serve {
	if !s.serveAll() {
		return nil
	}
	return s.serving.byName[inst.name]
}

// serveAll matches every serve block of the workspace with its model. false
// means that this is what is being worked out.
func (s *scope) serveAll() bool {
	if s.serving != nil {
		return true
	}
	w := s.doc.workspaces[s.workspace]
	if w == nil {
		s.serving = &serving{}
		return true
	}
	if !s.enter("the serve blocks of workspace "+s.workspace, w.def) {
		return false
	}
	defer s.leave()
	s.expandAll()
	found := &serving{byName: make(map[string]*serve, len(w.serves))}
	for _, label := range slices.Sorted(maps.Keys(w.serves)) {
		s.serveOne(found, label, w.serves[label])
	}
	s.serving = found
	return true
}

func (s *scope) serveOne(found *serving, label string, b *block) {
	n, single := s.models[label], s.index[label]
	eaches, enabled := s.elements(b), s.enabling(b)
	for _, e := range eaches {
		if enabled(e) {
			if inst := s.target(label, b, e, n, single); inst != nil {
				s.take(found, inst, b, e)
			}
		} else if n == nil && single == nil {
			s.unknownModel(label, b)
		}
		if n == nil && single == nil || n != nil && n.hasEach() != (e != nil) {
			return // said once
		}
	}
}

func (s *scope) take(found *serving, inst *instance, b *block, e *each) {
	if first := found.byName[inst.name]; first != nil {
		s.add(errorAt(b.def, fmt.Sprintf("model %q is served twice", inst.name),
			"A workspace serves a model once; the other serve block is at %s.", place(first.block.def)))
		return
	}
	found.byName[inst.name] = &serve{block: b, each: e}
}

// target is the instance that a serve block, or one key of it, means.
func (s *scope) target(label string, b *block, e *each, n *modelNode, single *instance) *instance {
	switch {
	case n == nil && single != nil && e == nil:
		return single // by its full name: serve "qwen[\"a\"]", or its own name
	case n == nil:
		s.unknownModel(label, b)
	case !n.done:
	case n.hasEach() && e == nil:
		s.add(errorAt(b.def, fmt.Sprintf("model %q stands for several", label),
			"It has for_each with the keys %s. Give the serve block a for_each with the keys to serve.", quoted(slices.Sorted(maps.Keys(n.byKey)))))
	case !n.hasEach() && e != nil:
		s.add(errorAt(b.def, fmt.Sprintf("model %q has no for_each", label), "It is one model, so its serve block must not have for_each either."))
	case e != nil && n.byKey[e.key] == nil:
		keys := slices.Sorted(maps.Keys(n.byKey))
		s.add(errorAt(*b.attr("for_each").at, fmt.Sprintf("model %q has no key %q", label, e.key), "Its for_each has %s.%s", quoted(keys), didYouMean(e.key, keys)))
	case e != nil:
		return n.byKey[e.key]
	case n.disabled:
		s.add(errorAt(b.def, fmt.Sprintf("model %q is not enabled", label), "Its block says enabled = false (%s), so it cannot be served.", place(*n.attr("enabled").at)))
	case len(n.instances) == 1:
		return n.instances[0]
	}
	return nil
}

func (s *scope) unknownModel(label string, b *block) {
	names := slices.Sorted(maps.Keys(s.models))
	names = append(names, slices.DeleteFunc(slices.Sorted(maps.Keys(s.index)), func(n string) bool { return s.models[n] != nil })...)
	detail := strings.TrimSpace(didYouMean(label, names))
	switch {
	case len(names) == 0:
		detail = "No file declares a model."
	case detail == "":
		detail = "Declared are: " + quoted(names) + "."
	}
	s.add(errorAt(b.def, fmt.Sprintf("there is no model %q", label), "%s", detail))
}
