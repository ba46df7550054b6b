package lang

import (
	"cmp"
	"slices"

	"github.com/loadoutdev/loadout/engine"
)

// backends lists every backend that a block is written for, sorted by place. Which
// ones exist is for others to say: the language only knows that somebody means
// one.
func (s *scope) backends() []engine.Backend {
	var out []engine.Backend
	for name, b := range s.doc.backends {
		for _, sec := range b.parts() {
			out = append(out, engine.Backend{Name: name, Origin: blockOrigin(sec, engine.LayerBackend, name)})
		}
	}
	for _, b := range s.doc.profiles {
		for _, part := range b.parts() {
			for _, sub := range part.blocks {
				out = append(out, engine.Backend{Name: sub.labels[0], Origin: blockOrigin(sub, engine.LayerProfile, sub.labels[0])})
			}
		}
	}
	slices.SortFunc(out, func(a, b engine.Backend) int {
		return cmp.Or(cmp.Compare(a.Origin.File, b.Origin.File), cmp.Compare(a.Origin.Start.Byte, b.Origin.Start.Byte))
	})
	return out
}
