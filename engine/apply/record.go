package apply

import (
	"slices"

	"github.com/loadoutdev/loadout/engine"
)

// The edits of the snapshot. Each says what is true of one model now.

// served: the model is as desired and this instance runs.
func served(c *engine.Change, in engine.Instance) func(*engine.Snapshot) {
	return func(s *engine.Snapshot) {
		dropModel(s, c)
		s.Models = append(s.Models, engine.RecordEntry(c.Desired))
		s.Instances = append(s.Instances, in)
	}
}

// registered: the entry is as desired; an instance that is recorded stays,
// under the present name, if the model is to be served.
func registered(c *engine.Change) func(*engine.Snapshot) {
	return func(s *engine.Snapshot) {
		var kept []engine.Instance
		for _, in := range s.Instances {
			if c.Desired.Served && concerns(c, in.Model) {
				in.Model = c.Model
				kept = append(kept, in)
			}
		}
		dropModel(s, c)
		s.Models = append(s.Models, engine.RecordEntry(c.Desired))
		s.Instances = append(s.Instances, kept...)
	}
}

// gone: nothing of the model is recorded any more.
func gone(c *engine.Change) func(*engine.Snapshot) {
	return func(s *engine.Snapshot) { dropModel(s, c) }
}

// reverted: the entry is what it was; in runs, or nothing when it is nil.
func reverted(c *engine.Change, in *engine.Instance) func(*engine.Snapshot) {
	return func(s *engine.Snapshot) {
		dropModel(s, c)
		if c.Previous != nil {
			s.Models = append(s.Models, *c.Previous)
		}
		if in != nil {
			s.Instances = append(s.Instances, *in)
		}
	}
}

func dropModel(s *engine.Snapshot, c *engine.Change) {
	s.Models = slices.DeleteFunc(s.Models, func(e engine.Entry) bool { return concerns(c, e.Name) })
	s.Instances = slices.DeleteFunc(s.Instances, func(in engine.Instance) bool { return concerns(c, in.Model) })
}

// concerns: the name is the model's, or was before it was moved.
func concerns(c *engine.Change, name string) bool {
	return name == c.Model || c.From != "" && name == c.From
}
