package store

import (
	"slices"

	"github.com/loadoutdev/loadout/engine"
)

// unfinished says which operations the snapshot does not reflect. It compares
// what was announced with what is recorded, never with what is alive, so it
// gives the same answer whenever it is asked, and after a kill between any two
// writes:
//
//   - a start is open until it failed, or its instance is recorded, or it was
//     stopped or forgotten again. One that succeeded but is not recorded (the
//     snapshot could not be written, or the backup was put back) is open too;
//   - a stop is open while the instance that it ends is still recorded, unless
//     it failed;
//   - anything else is open until it has a result.
func unfinished(ops []operation, snap *engine.Snapshot) []engine.Unfinished {
	var out []engine.Unfinished
	for i := range ops {
		u := engine.Unfinished{Op: ops[i].op, Model: ops[i].model, Instance: ops[i].instance}
		if isOpen(ops, i, snap) && !slices.ContainsFunc(out, func(v engine.Unfinished) bool {
			return v.Op == u.Op && same(&v.Instance, &u.Instance)
		}) {
			out = append(out, u)
		}
	}
	return out
}

func isOpen(ops []operation, i int, snap *engine.Snapshot) bool {
	o := &ops[i]
	if o.done && !o.ok {
		return false
	}
	switch o.op {
	case engine.OpStart:
		return !isRecorded(snap, &o.instance) && !endedLater(ops[i+1:], &o.instance)
	case engine.OpStop:
		return isRecorded(snap, &o.instance)
	case engine.OpUpdate, engine.OpForget, engine.OpAdopt:
		return !o.done
	}
	return !o.done
}

func isRecorded(snap *engine.Snapshot, in *engine.Instance) bool {
	if snap == nil {
		return false
	}
	for i := range snap.Instances {
		if same(&snap.Instances[i], in) {
			return true
		}
	}
	return false
}

func endedLater(ops []operation, in *engine.Instance) bool {
	for i := range ops {
		ends := ops[i].op == engine.OpStop || ops[i].op == engine.OpForget
		if ends && ops[i].done && ops[i].ok && same(&ops[i].instance, in) {
			return true
		}
	}
	return false
}

// same tells whether two records mean one instance: by the token, which no two
// launches share, or, for an adopted one that has none, by its process or model.
func same(a, b *engine.Instance) bool {
	if a.Token != "" || b.Token != "" {
		return a.Token == b.Token
	}
	return a.Backend == b.Backend && a.Pid == b.Pid && a.StartTime == b.StartTime && a.BootID == b.BootID &&
		(a.Pid != 0 || a.Launch.URL == b.Launch.URL && a.Launch.Model == b.Launch.Model)
}
