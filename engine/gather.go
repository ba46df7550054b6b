package engine

import (
	"fmt"
	"slices"
)

// gather brings together what is known of each model: desired, recorded and
// live, under its present name. The result is sorted by name.
func gather(in *PlanInput) ([]*subject, []Problem) {
	subjects := map[string]*subject{}
	at := func(name string) *subject {
		if subjects[name] == nil {
			subjects[name] = &subject{name: name, effect: effectOf(nil)}
		}
		return subjects[name]
	}
	if !in.Destroy {
		for i := range in.Desired {
			m := &in.Desired[i]
			s := at(m.Name)
			s.desired, s.launch, s.effect = m, in.Launches[m.Name], effectOf(in.Providers[m.Backend])
		}
	}
	renamed, problems := renames(in)
	gatherRecorded(in, at, renamed)
	for i := range in.Removals {
		if s := subjects[in.Removals[i].Model]; s != nil && s.desired == nil {
			s.removal = &in.Removals[i]
		}
	}
	for i := range in.Adoptions {
		if s := subjects[in.Adoptions[i].Model]; s != nil {
			s.adoption = &in.Adoptions[i]
		}
	}
	out := make([]*subject, 0, len(subjects))
	for _, name := range sortedKeys(subjects) {
		out = append(out, subjects[name])
	}
	return out, problems
}

// gatherRecorded adds entries, instances and what was seen of them.
func gatherRecorded(in *PlanInput, at func(string) *subject, renamed map[string]string) {
	current := func(name string) *subject {
		to, moved := renamed[name]
		if !moved {
			return at(name)
		}
		s := at(to)
		s.from = name
		return s
	}
	if in.Snapshot != nil {
		for i := range in.Snapshot.Models {
			current(in.Snapshot.Models[i].Name).entry = &in.Snapshot.Models[i]
		}
		for i := range in.Snapshot.Instances {
			inst := &in.Snapshot.Instances[i]
			s := current(inst.Model)
			s.instance = inst
			if in.Live != nil {
				if live, ok := in.Live.Recorded[inst.Model]; ok {
					s.live = &live
				}
			}
		}
	}
	for _, u := range unfinishedStarts(in) {
		if u.Alive() {
			s := current(u.Model)
			s.unfinished = append(s.unfinished, u)
		}
	}
}

// unfinishedStarts are the starts of an interrupted run: as seen, or, when
// nobody looked, as possibly running.
func unfinishedStarts(in *PlanInput) []Live {
	if in.Live != nil {
		return in.Live.Unfinished
	}
	var out []Live
	for _, u := range in.Unfinished {
		if u.Op == OpStart {
			out = append(out, Live{Instance: u.Instance, State: StateUnknown, Detail: "not looked at"})
		}
	}
	return out
}

// renames resolves moved blocks against the snapshot: the old name must be
// recorded and no longer declared, the new one declared and not yet recorded.
// A move that was already made is silent, so that its block may stay.
func renames(in *PlanInput) (map[string]string, []Problem) {
	renamed := map[string]string{}
	var problems []Problem
	if in.Destroy {
		return renamed, nil
	}
	declared := func(name string) bool {
		return slices.ContainsFunc(in.Desired, func(m Model) bool { return m.Name == name })
	}
	for _, m := range in.Moves {
		switch {
		case declared(m.From):
			problems = append(problems, Problem{Severity: SeverityError, Code: "moved_still_declared", Model: m.From, Origin: m.Origin,
				Summary: fmt.Sprintf("%q is moved to %q and still declared", m.From, m.To),
				Detail:  "Remove the old model block, or the moved block."})
		case in.Snapshot.Entry(m.From) != nil && in.Snapshot.Entry(m.To) == nil && declared(m.To):
			renamed[m.From] = m.To
		}
	}
	return renamed, problems
}

// effectOf asks the provider, or, where there is none, the table.
func effectOf(p Provider) func(string) Effect {
	if p != nil {
		return p.Effect
	}
	return func(path string) Effect {
		if a, ok := LookupAttribute(Root(path)); ok {
			return a.Effect
		}
		return EffectHot
	}
}
