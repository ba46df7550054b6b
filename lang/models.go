package lang

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// declare writes every model as layers, sorted by name. profile is the name
// that the workspace chose; "" is none.
func (s *scope) declare(profile string) []engine.Declared {
	s.expandAll()
	s.serveAll()
	presets := newPresets(s, profile)
	out := make([]engine.Declared, 0, len(s.index))
	forms := map[*block][]*form{}
	for _, label := range slices.Sorted(maps.Keys(s.models)) {
		n := s.models[label]
		own := s.forms(n.block, engine.LayerModel, n.label)
		for _, inst := range n.instances {
			if s.index[inst.name] == inst {
				out = append(out, s.declareOne(inst, own, presets, forms))
			}
		}
	}
	slices.SortFunc(out, func(a, b engine.Declared) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// forms are the forms of a block and of what overrides it, weakest first.
func (s *scope) forms(b *block, kind engine.LayerKind, name string) []*form {
	forms := make([]*form, 0, 1+len(b.overrides))
	hasEach := b.attr("for_each") != nil
	forms = append(forms, s.form(b.section, kind, name, hasEach))
	for _, sec := range b.overrides {
		forms = append(forms, s.form(sec, kind, name, hasEach))
	}
	return forms
}

func (s *scope) declareOne(inst *instance, own []*form, presets *presets, served map[*block][]*form) engine.Declared {
	n := inst.node
	d := engine.Declared{Name: inst.name, Origin: blockOrigin(n.section, engine.LayerModel, n.label)}
	d.Layers = make([]engine.Layer, 0, len(own)+4)
	model := make([]engine.Layer, len(own))
	for i, f := range own {
		model[i] = s.fill(f, inst.each)
	}
	backend := backendOf(model)
	d.Layers = append(d.Layers, presets.backend(backend)...)
	d.Layers = append(d.Layers, model...)
	d.Layers = append(d.Layers, presets.profile(backend)...)
	sv := s.servedBy(inst)
	if sv == nil {
		return d
	}
	d.Served = true
	d.Serve = blockOrigin(sv.block.section, engine.LayerServe, n.label)
	if _, ok := served[sv.block]; !ok {
		served[sv.block] = s.forms(sv.block, engine.LayerServe, n.label)
	}
	for _, f := range served[sv.block] {
		d.Layers = append(d.Layers, s.fill(f, sv.each))
	}
	if backend == "" && n.attr("backend") == nil {
		s.add(errorAt(n.def, fmt.Sprintf("model %q has no backend", inst.name), "It is served at %s, so it must say what runs it: backend = \"vllm\".", place(sv.block.def)))
	}
	return d
}

// backendOf reads the backend of a model from its own layers: no other block
// may set it.
func backendOf(layers []engine.Layer) string {
	for _, layer := range slices.Backward(layers) {
		for i := range layer {
			if layer[i].Path == "backend" {
				name, _ := layer[i].Value.(string)
				return name
			}
		}
	}
	return ""
}

func blockOrigin(sec *section, kind engine.LayerKind, name string) engine.Origin {
	return engine.Origin{Layer: kind, Block: name, File: sec.def.Filename, Start: posOf(sec.def.Start), End: posOf(sec.def.End)}
}

// presets are the layers that models share: of backend blocks and of the
// profile. They are made once.
type presets struct {
	backends map[string][]engine.Layer
	base     []engine.Layer            // of the profile, for every model
	nested   map[string][]engine.Layer // of the profile, by backend
	joined   map[string][]engine.Layer // base and nested, by backend
}

func newPresets(s *scope, profile string) *presets {
	p := &presets{backends: map[string][]engine.Layer{}, nested: map[string][]engine.Layer{}, joined: map[string][]engine.Layer{}}
	for _, kind := range slices.Sorted(maps.Keys(s.doc.backends)) {
		p.backends[kind] = s.plainLayers(s.doc.backends[kind].parts(), engine.LayerBackend, kind)
	}
	for _, name := range slices.Sorted(maps.Keys(s.doc.profiles)) {
		b := s.doc.profiles[name] // all are evaluated, so that mistakes are found
		base := s.plainLayers(b.parts(), engine.LayerProfile, name)
		nested := map[string][]engine.Layer{}
		for _, part := range b.parts() {
			for _, sub := range part.blocks {
				kind := sub.labels[0]
				nested[kind] = append(nested[kind], s.plainLayers([]*section{sub}, engine.LayerProfile, name)...)
			}
		}
		if name == profile {
			p.base, p.nested = base, nested
		}
	}
	return p
}

// plainLayers evaluates sections that have no for_each; empty ones are left out.
func (s *scope) plainLayers(parts []*section, kind engine.LayerKind, name string) []engine.Layer {
	var layers []engine.Layer
	for _, sec := range parts {
		if f := s.form(sec, kind, name, false); len(f.layer) > 0 {
			layers = append(layers, f.layer)
		}
	}
	return layers
}

func (p *presets) backend(kind string) []engine.Layer { return p.backends[kind] }

func (p *presets) profile(backend string) []engine.Layer {
	if layers, ok := p.joined[backend]; ok {
		return layers
	}
	layers := slices.Concat(p.base, p.nested[backend])
	p.joined[backend] = layers
	return layers
}
