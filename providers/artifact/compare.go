package artifact

import (
	"bytes"
	"slices"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// Summary is what a scan found compared with the document before it. Artifacts
// go by source, those of a hub cache by source@revision. Each list is sorted and
// never nil.
type Summary struct {
	Found      []string `json:"found"`
	New        []string `json:"new"`
	Changed    []string `json:"changed"`
	Gone       []string `json:"gone"`
	Incomplete []string `json:"incomplete"`
}

// Compare tells what changed. old is nil when there was no document.
func Compare(old, current *engine.Discovered) Summary {
	before, now := byIdentity(old), byIdentity(current)
	s := Summary{[]string{}, []string{}, []string{}, []string{}, []string{}}
	for _, id := range sortedKeys(now) {
		s.Found = append(s.Found, id)
		switch was, known := before[id]; {
		case !known:
			s.New = append(s.New, id)
		case !bytes.Equal(engine.CanonicalJSON(was), engine.CanonicalJSON(now[id])):
			s.Changed = append(s.Changed, id)
		}
		if slices.ContainsFunc(now[id], func(a engine.Artifact) bool { return !a.Complete }) {
			s.Incomplete = append(s.Incomplete, id)
		}
	}
	for _, id := range sortedKeys(before) {
		if now[id] == nil {
			s.Gone = append(s.Gone, id)
		}
	}
	return s
}

// byIdentity groups artifacts; the same snapshot may lie in two caches.
func byIdentity(d *engine.Discovered) map[string][]engine.Artifact {
	groups := map[string][]engine.Artifact{}
	if d == nil {
		return groups
	}
	for _, a := range d.Artifacts {
		id := a.Source
		if strings.HasPrefix(id, "hf://") && a.Revision != "" {
			id += "@" + a.Revision
		}
		groups[id] = append(groups[id], a)
	}
	return groups
}
