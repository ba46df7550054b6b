package vllm

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/providers/process"
	"github.com/loadoutdev/loadout/providers/providertest"
)

func TestConformance(t *testing.T) {
	providertest.Run(t, providertest.Suite{New: fixture})
}

func fixture(t *testing.T) providertest.Fixture {
	b := newBench(t)
	mode := func(mode string) providertest.Edit {
		return func(m *engine.Model) { m.Command = fakeCommand(mode) }
	}
	return providertest.Fixture{
		Provider: b.Provider,
		StateDir: b.dir,
		Model:    func() *engine.Model { return b.model("good") },
		Told:     func(m *engine.Model) { m.Args["seed"] = int64(7) },
		Untold:   func(m *engine.Model) { m.Roles = map[string]int64{"chat": 1} },
		Fail:     mode("oom"),
		Slow:     mode("slow"),
		Kill: func(t *testing.T, in engine.Instance) {
			if err := syscall.Kill(in.Pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		},
		Stranger: b.stranger,
		Left:     b.left,
	}
}

// stranger is a server of somebody else, with a record that names its pid.
func (b *bench) stranger(t *testing.T, in engine.Instance) (engine.Instance, func() bool) {
	other := newBench(t)
	theirs := other.started(t, "good")
	in.Pid = theirs.Pid
	return in, func() bool {
		s, err := process.Of(theirs).Look()
		return err == nil && s.Standing == process.Running
	}
}

// left lists processes, launch directories and listeners that remain.
func (b *bench) left(t *testing.T) []string {
	var out []string
	if listeners, err := process.Listeners("127.0.0.1", b.port); err != nil || len(listeners) > 0 {
		out = append(out, fmt.Sprintf("port %d: %v %v", b.port, listeners, err))
	}
	dirs, _ := filepath.Glob(filepath.Join(b.dir, "launches", "*"))
	out = append(out, dirs...)
	table, err := process.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range table {
		env, _ := process.Environ(p.Pid)
		if p.Pid != os.Getpid() && filepath.Dir(filepath.Dir(env["TMPDIR"])) == filepath.Join(b.dir, "launches") {
			out = append(out, p.String())
		}
	}
	return out
}
