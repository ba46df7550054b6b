package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/prometheus/procfs"
)

// Proc is one living process as /proc shows it. A zombie is dead: it holds
// neither memory nor sockets, and only waits for its parent to take note.
type Proc struct {
	Pid, Parent    int
	Session, Group int
	Start          uint64 // clock ticks since boot
	Comm           string // at most 15 bytes
	UID            uint32
}

// Command is the command line of the process, or its short name in brackets
// where there is none to read.
func (p Proc) Command() string {
	if argv := Argv(p.Pid); len(argv) > 0 {
		return strings.TrimSpace(strings.Join(argv, " "))
	}
	return "[" + p.Comm + "]"
}

func (p Proc) String() string { return fmt.Sprintf("pid %d (%s)", p.Pid, shorten(p.Command(), 100)) }

func shorten(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit-3], "") + "..."
}

// Argv is the command line of a process; nil when it cannot be read.
func Argv(pid int) []string {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return nil
	}
	argv, _ := p.CmdLine()
	return argv
}

// Lookup finds a living process.
func Lookup(pid int) (Proc, bool) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return Proc{}, false
	}
	return read(p)
}

// All lists the living processes of all users, by pid.
func All() (map[int]Proc, error) {
	procs, err := procfs.AllProcs()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	table := make(map[int]Proc, len(procs))
	for _, p := range procs {
		if r, alive := read(p); alive {
			table[r.Pid] = r
		}
	}
	return table, nil
}

// read gives false for a process that is dead or has just gone.
func read(p procfs.Proc) (Proc, bool) {
	s, err := p.Stat()
	if err != nil || s.State == "Z" || s.State == "X" {
		return Proc{}, false
	}
	info, err := os.Stat(fmt.Sprintf("/proc/%d", p.PID))
	if err != nil {
		return Proc{}, false
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return Proc{}, false
	}
	return Proc{
		Pid: s.PID, Parent: s.PPID, Session: s.Session, Group: s.PGRP,
		Start: s.Starttime, Comm: s.Comm, UID: owner.Uid,
	}, true
}

// Mine tells whether the process belongs to the user that asks. What another
// user runs is never ours, not even for root.
func (p Proc) Mine() bool { return int(p.UID) == os.Geteuid() }

// Environ is the environment with which a process of this user was started.
func Environ(pid int) (map[string]string, error) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return nil, fmt.Errorf("environment of pid %d: %w", pid, err)
	}
	words, err := p.Environ()
	if err != nil {
		return nil, fmt.Errorf("environment of pid %d: %w", pid, err)
	}
	env := make(map[string]string, len(words))
	for _, w := range words {
		if name, value, ok := strings.Cut(w, "="); ok && name != "" {
			env[name] = value
		}
	}
	return env, nil
}

// BootID tells this boot of the machine from every other one.
func BootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("boot id: /proc is not the Linux one: %w", err)
	}
	if err != nil {
		return "", fmt.Errorf("boot id: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}
