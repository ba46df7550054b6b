package vllm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/providers/process"
)

// portFree refuses a port that somebody has, before anything is started: vLLM
// itself notices only an owner that listens, and only after its imports. What the
// processes of leaving hold counts as free.
func portFree(ctx context.Context, l engine.Launch, leaving []process.Proc) error {
	err := process.PortFree(l.Host, l.Port, leaving)
	if err == nil {
		return nobodyStarts(l, leaving)
	}
	if !errors.Is(err, process.ErrPort) {
		return &engine.StartError{Class: classPort, Cause: err.Error(), Field: "host", Status: "not started"}
	}
	e := &engine.StartError{Class: classPort, Cause: err.Error(), Field: "port", Hint: "stop it, or set another port", Status: "not started"}
	asked, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if have, err := newClient(l.URL, "").models(asked); err == nil && len(have) > 0 {
		e.Cause += fmt.Sprintf("; it serves %s", strings.Join(ids(have), ", "))
		if len(missing(l.Served, have)) == 0 {
			e.Hint = "it serves this very model: adopt it, stop it, or set another port"
		}
	}
	return e
}

// nobodyStarts refuses a port on which another server of this user is about to
// listen. vLLM binds it only after its imports, which take 8 to 25 seconds, and
// of two servers that bind it one never serves.
func nobodyStarts(l engine.Launch, leaving []process.Proc) error {
	table, err := process.All()
	if err != nil {
		return err
	}
	for _, p := range table {
		argv := process.Argv(p.Pid)
		leaves := slices.ContainsFunc(leaving, func(q process.Proc) bool { return q.Pid == p.Pid })
		if leaves || !p.Mine() || !looksLikeServer(argv) || !sameNetwork(p.Pid) {
			continue
		}
		c, ok := cut(argv, l.Model)
		if !ok {
			continue
		}
		if fields := c.fields(); engine.EqualValues(fields["port"], int64(l.Port)) && plain(fields["host"]) == l.Host {
			return &engine.StartError{Class: classPort, Field: "port", Status: "not started", Hint: "wait for it, stop it, or set another port",
				Cause: fmt.Sprintf("%s is starting on port %d", p, l.Port)}
		}
	}
	return nil
}

// sameNetwork: the process sees the same ports as we do. One in a container may
// have the same number and another port.
func sameNetwork(pid int) bool {
	ours, err1 := os.Readlink("/proc/self/ns/net")
	theirs, err2 := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
	return err1 == nil && err2 == nil && ours == theirs
}
