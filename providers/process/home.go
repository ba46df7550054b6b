package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// Home is where the state of an instance is kept: the state directory, and in it
// the log and the launch directory (relative). The zero Home is not looked at.
type Home struct {
	StateDir, Log, Dir string
}

// In is the identity that an instance recorded in the state directory. Whoever
// copies that directory copies the token with it; so the process must also write
// its log there, and not into another state that is still in use.
func In(stateDir string, in engine.Instance) Identity {
	id := Of(in)
	if stateDir != "" && !in.Adopted {
		id.Home = Home{StateDir: stateDir, Log: in.Log, Dir: in.Dir}
	}
	return id
}

// otherHome is the state directory to which a process belongs, if that is
// another one than this and has a snapshot. A directory that was moved leaves
// none behind.
func (h Home) otherHome(pid int) (dir string, other bool) {
	if h.StateDir == "" {
		return "", false
	}
	for _, seen := range []struct{ path, inState string }{
		{link(pid, "fd/1"), h.Log},
		{workingDir(pid), h.Dir},
		{tmpOf(pid), filepath.Join(h.Dir, "tmp")},
	} {
		dir, fits := strings.CutSuffix(seen.path, string(filepath.Separator)+filepath.Clean(seen.inState))
		if !fits {
			continue
		}
		return dir, !sameDir(dir, h.StateDir) && holdsState(dir)
	}
	return "", false
}

func tmpOf(pid int) string {
	env, err := Environ(pid)
	if err != nil {
		return ""
	}
	return env["TMPDIR"]
}

func sameDir(a, b string) bool {
	ia, err1 := os.Stat(a)
	ib, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(ia, ib)
}

func holdsState(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "snapshot.json"))
	return err == nil && info.Mode().IsRegular()
}

// claimed corrects a sighting of what another copy of the state has a claim to.
func (h Home) claimed(s Sighting) Sighting {
	if len(s.Members) == 0 {
		return s
	}
	first := s.Members[0]
	dir, other := h.otherHome(first.Pid)
	if !other {
		return s
	}
	return Sighting{Standing: Elsewhere, Detail: fmt.Sprintf(
		"%s belongs to %s: %s is a copy of that state. Run Loadout there, or remove %s and serve on another port",
		first, dir, h.StateDir, h.StateDir)}
}
