package lang

import (
	"maps"
	"slices"
)

// override lays a block of an override file over the block that it names.
func (d *document) override(s *section) {
	switch s.kind {
	case "locals":
		for i := range s.attrs {
			a := &s.attrs[i]
			if d.locals[a.name] == nil {
				d.nothingToOverride(s, "local."+a.name, a.name, slices.Sorted(maps.Keys(d.locals)))
				continue
			}
			d.locals[a.name] = a
		}
	case "workspace":
		d.overrideWorkspace(s)
	case "moved", "removed", "adopt":
		d.declare(s)
	case "discover":
		if d.discover == nil {
			d.nothingToOverride(s, "discover", "", nil)
			return
		}
		d.discover.overrides = append(d.discover.overrides, s)
	default:
		d.overlay(d.named(s.kind), s)
	}
}

func (d *document) overlay(blocks map[string]*block, s *section) {
	b := blocks[s.labels[0]]
	if b == nil {
		d.nothingToOverride(s, s.address(), s.labels[0], slices.Sorted(maps.Keys(blocks)))
		return
	}
	b.overrides = append(b.overrides, s)
}

// overrideWorkspace also serves a directory with one override file for several
// workspaces: blocks of those that are not loaded are passed over.
func (d *document) overrideWorkspace(s *section) {
	w := d.workspaces[s.labels[0]]
	if w == nil {
		return
	}
	w.overrides = append(w.overrides, s)
	for _, sub := range s.blocks {
		d.overlay(w.nested(sub.kind), sub)
	}
}

// nothingToOverride refuses a block that would otherwise, by a slip of the
// fingers, declare something new.
func (d *document) nothingToOverride(s *section, what, name string, names []string) {
	d.diags = append(d.diags, errorAt(s.def, "there is no "+what+" to override",
		"%s is an override file: it changes what other files declare.%s", s.src.name, didYouMean(name, names)))
}
