package process

import (
	"cmp"
	"os"
	"slices"
	"strings"
)

// members are the living processes of the instance: the session and group that
// the leader made, and what descends from it. Anything older than the leader,
// of another user, or ourselves, is not among them.
func (id Identity) members(table map[int]Proc) []Proc {
	var out []Proc
	for _, p := range table {
		if p.Start < id.StartTime || !p.Mine() || p.Pid == os.Getpid() {
			continue
		}
		if p.Session == id.Pid || p.Group == id.Pid || descends(table, p, id.Pid) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b Proc) int {
		return cmp.Or(-compareBool(a.Pid == id.Pid, b.Pid == id.Pid), cmp.Compare(a.Start, b.Start), cmp.Compare(a.Pid, b.Pid))
	})
	return out
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// descends follows the parents; a chain is never longer than the table.
func descends(table map[int]Proc, p Proc, ancestor int) bool {
	for range table {
		if p.Pid == ancestor {
			return true
		}
		parent, ok := table[p.Parent]
		if !ok {
			return false
		}
		p = parent
	}
	return false
}

// Find looks for the process that carries the token among those of this user.
// When its leader is gone and a child still shows the token, the identity is
// that of the dead leader, with the start time of its oldest child. ok is false
// when nobody carries the token.
func Find(token string) (id Identity, ok bool, err error) {
	if token == "" {
		return Identity{}, false, nil
	}
	boot, err := BootID()
	if err != nil {
		return Identity{}, false, err
	}
	table, err := All()
	if err != nil {
		return Identity{}, false, err
	}
	p, ok := bearer(table, func(p Proc) bool { return p.Mine() && tokenOf(p.Pid) == token })
	if !ok {
		return Identity{}, false, nil
	}
	return Identity{Pid: p.Session, StartTime: p.Start, BootID: boot, Token: token}, true, nil
}

// bearer chooses among the bearers of a token: children inherit it, and some
// make sessions of their own, so the oldest session leader is the one that was
// started; without a leader the oldest bearer stands for its session.
func bearer(table map[int]Proc, carries func(Proc) bool) (Proc, bool) {
	var found []Proc
	for _, p := range table {
		if carries(p) {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return Proc{}, false
	}
	return slices.MinFunc(found, func(a, b Proc) int {
		return cmp.Or(-compareBool(a.Pid == a.Session, b.Pid == b.Session), cmp.Compare(a.Start, b.Start), cmp.Compare(a.Pid, b.Pid))
	}), true
}

// isTracker recognizes Python's resource tracker. It ignores TERM, removes the
// shared memory of its process tree after everybody else has ended, and then
// ends by itself; killed too early it leaves the memory behind.
func isTracker(p Proc) bool {
	return slices.ContainsFunc(Argv(p.Pid), func(w string) bool { return strings.Contains(w, "resource_tracker") })
}
