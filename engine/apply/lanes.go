package apply

import (
	"strconv"

	"github.com/loadoutdev/loadout/engine"
)

// Unit is one or more changes that are done as one: all of it is stopped before
// any of it is started, and if one fails all are put back. More than one only
// when models exchange ports in a ring.
type Unit []*engine.Change

// Lane is a sequence of units that share a GPU, a service or a port. Lanes have
// nothing in common and run at the same time.
type Lane []Unit

// Lanes divides the changes. Within a lane what only stops comes first, then
// the rest in the order of the plan, except that a port is given up before it is
// taken. Lanes are in the order of their first change.
func Lanes(changes []engine.Change) []Lane {
	sets := partition(changes)
	lanes := make([]Lane, 0, len(sets))
	for _, set := range sets {
		var lane Lane
		var rest []*engine.Change
		for _, c := range set {
			if c.Action == engine.ActionStop || c.Action == engine.ActionForget {
				lane = append(lane, Unit{c})
			} else {
				rest = append(rest, c)
			}
		}
		lanes = append(lanes, append(lane, orderByPort(rest)...))
	}
	return lanes
}

// partition joins changes that have a resource in common (union-find: parent
// leads from a resource or change to the first one that it was joined with).
func partition(changes []engine.Change) [][]*engine.Change {
	anywhere := someProcessUsesAnyGPU(changes)
	parent := map[string]string{}
	find := func(x string) string {
		for parent[x] != "" {
			x = parent[x]
		}
		return x
	}
	join := func(a, b string) {
		if a, b = find(a), find(b); a != b {
			parent[b] = a
		}
	}
	self := func(i int) string { return "change:" + strconv.Itoa(i) }
	for i := range changes {
		for _, res := range resources(&changes[i], anywhere) {
			join(res, self(i))
		}
	}
	var order []string
	sets := map[string][]*engine.Change{}
	for i := range changes {
		root := find(self(i))
		if sets[root] == nil {
			order = append(order, root)
		}
		sets[root] = append(sets[root], &changes[i])
	}
	out := make([][]*engine.Change, len(order))
	for i, root := range order {
		out[i] = sets[root]
	}
	return out
}

// resources names what a change takes or gives up. anywhere: there is a process
// that may use every GPU, so all processes have that in common.
func resources(c *engine.Change, anywhere bool) []string {
	launches := launchesOf(c)
	var out []string
	if len(launches) > 0 {
		out = appendAll(out, "gpu:", c.GPUs)
	}
	for _, l := range launches {
		out = appendAll(out, "gpu:", l.GPUs)
		if isService(l) {
			out = append(out, "url:"+l.URL)
			continue
		}
		if anywhere {
			out = append(out, "any gpu")
		}
		if l.Port != 0 {
			out = append(out, "port:"+strconv.Itoa(l.Port))
		}
	}
	return out
}

func appendAll(out []string, prefix string, names []string) []string {
	for _, n := range names {
		out = append(out, prefix+n)
	}
	return out
}

func someProcessUsesAnyGPU(changes []engine.Change) bool {
	for i := range changes {
		for _, l := range launchesOf(&changes[i]) {
			if !isService(l) && len(l.GPUs) == 0 && len(changes[i].GPUs) == 0 {
				return true
			}
		}
	}
	return false
}

// launchesOf lists what a change starts, stops or waits for. A change of the
// record alone touches nothing.
func launchesOf(c *engine.Change) []*engine.Launch {
	var out []*engine.Launch
	for i := range c.Leftovers {
		out = append(out, &c.Leftovers[i].Launch)
	}
	if c.Action == engine.ActionForget || c.Action == engine.ActionNone || c.Action == engine.ActionUpdate && !reloads(c) {
		return out
	}
	if c.Running != nil {
		out = append(out, &c.Running.Launch)
	}
	if c.Start != nil {
		out = append(out, c.Start)
	}
	return out
}

// isService: a model inside a server that Loadout does not start.
func isService(l *engine.Launch) bool {
	return l.URL != "" && l.Port == 0 && len(l.Argv) == 0
}

// reloads: the running instance is told something new without a restart.
func reloads(c *engine.Change) bool {
	return c.Action == engine.ActionUpdate && c.Start != nil && c.Running != nil &&
		c.Start.Digest() != c.Running.LaunchDigest
}
