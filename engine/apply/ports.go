package apply

import (
	"slices"

	"github.com/loadoutdev/loadout/engine"
)

// orderByPort keeps the order of the plan, except that a change which takes a
// port comes after the one that gives it up. Each change needs at most one port
// and a port has at most one holder, so what cannot be ordered is a ring; a ring
// is one unit.
func orderByPort(changes []*engine.Change) []Unit {
	holder := map[int]*engine.Change{} // by port, of changes not yet done
	for _, c := range changes {
		if p := givesUp(c); p != 0 {
			holder[p] = c
		}
	}
	done := map[*engine.Change]bool{}
	var units []Unit
	for _, c := range changes {
		for !done[c] {
			u := nextUnit(c, holder)
			slices.SortFunc(u, func(a, b *engine.Change) int {
				return slices.Index(changes, a) - slices.Index(changes, b)
			})
			for _, d := range u {
				done[d] = true
				delete(holder, givesUp(d))
			}
			units = append(units, u)
		}
	}
	return units
}

// nextUnit follows the ports from c to a change that waits for none, or around a
// ring.
func nextUnit(c *engine.Change, holder map[int]*engine.Change) Unit {
	var path Unit
	for {
		if at := slices.Index(path, c); at >= 0 {
			return path[at:]
		}
		path = append(path, c)
		next := holder[takes(c)]
		if next == nil || next == c {
			return Unit{c}
		}
		c = next
	}
}

// takes is the port that a change needs for its start; 0: none.
func takes(c *engine.Change) int {
	if c.Start == nil || !starts(c.Action) {
		return 0
	}
	return c.Start.Port
}

// givesUp is the port that a change frees before it takes its own; 0: none.
func givesUp(c *engine.Change) int {
	if c.Running == nil || !starts(c.Action) {
		return 0
	}
	return c.Running.Launch.Port
}

func starts(a engine.Action) bool {
	return a == engine.ActionCreate || a == engine.ActionRestart || a == engine.ActionReplace
}
