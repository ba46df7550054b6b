package process

import (
	"fmt"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

// TokenVar is the environment variable that carries the token of an instance.
const TokenVar = "LOADOUT_INSTANCE"

// Identity is what tells one process from every other one, across crashes,
// reboots and reused pids.
type Identity struct {
	Pid       int
	StartTime uint64 // clock ticks since boot, /proc/PID/stat field 22
	BootID    string
	Token     string // empty for a process that was adopted
	Home      Home
}

// Of is the identity that an instance recorded.
func Of(in engine.Instance) Identity {
	return Identity{Pid: in.Pid, StartTime: in.StartTime, BootID: in.BootID, Token: in.Token}
}

// Standing of an identity among the processes of now.
type Standing int

// Standings.
const (
	Gone      Standing = iota // no process of it is left
	Running                   // the leader lives and is proved to be ours
	Orphans                   // the leader is gone, children of its session live
	Foreign                   // the pid belongs to something that is not proved ours
	Elsewhere                 // it runs, and another copy of the state directory has it
)

// Sighting is what was seen of an identity at one moment.
type Sighting struct {
	Standing Standing
	Detail   string // why it is foreign or gone; empty when there is nothing to say
	Members  []Proc // living processes of the instance, leader first
}

// Look finds out what became of the identity. A leader that is just dying is
// waited for: it cannot be read any more, and its port is not free yet.
func (id Identity) Look() (Sighting, error) {
	for deadline := time.Now().Add(fadeGrace); ; time.Sleep(fadePoll) {
		s, err := id.look()
		switch {
		case err != nil || s.Standing != Foreign || !fading(id.Pid):
			return s, err
		case time.Now().After(deadline):
			return Sighting{}, fmt.Errorf("pid %d is dying and does not come to an end", id.Pid)
		}
	}
}

// How long a dying process may take to give back its memory: seconds for a
// large one on a busy machine.
const (
	fadeGrace = 10 * time.Second
	fadePoll  = 20 * time.Millisecond
)

// fading: the process has given up its memory, so that neither its command
// line nor its token can be read, and is not dead yet.
func fading(pid int) bool {
	env, err := Environ(pid)
	return err == nil && len(env) == 0 && len(Argv(pid)) == 0
}

func (id Identity) look() (Sighting, error) {
	boot, err := BootID()
	if err != nil {
		return Sighting{}, err
	}
	table, err := All()
	if err != nil {
		return Sighting{}, err
	}
	return id.Home.claimed(id.judge(boot, table, tokenOf)), nil
}

// judge is the decision behind Look; token reads the token of a process, "" when
// it has none or cannot be asked.
func (id Identity) judge(boot string, table map[int]Proc, token func(pid int) string) Sighting {
	leader, there := table[id.Pid]
	switch {
	case id.Pid <= 1 || id.StartTime == 0 || id.BootID == "":
		if there {
			return foreign(leader, "no start time was recorded for it")
		}
		return Sighting{Detail: "no pid was recorded"}
	case boot != id.BootID:
		if there {
			return foreign(leader, "the machine was started anew since then")
		}
		return Sighting{Detail: "the machine was started anew since then"}
	case there && leader.Start != id.StartTime:
		return foreign(leader, "it was started at another time")
	case there && !leader.Mine():
		return foreign(leader, "it belongs to another user")
	case there && id.Token != "" && token(id.Pid) != id.Token:
		return foreign(leader, "it does not carry our token")
	case there:
		return Sighting{Standing: Running, Members: id.members(table)}
	}
	return id.orphans(table, token)
}

func foreign(p Proc, why string) Sighting {
	return Sighting{Standing: Foreign, Detail: fmt.Sprintf("%s is not ours: %s", p, why)}
}

// orphans are what a dead leader left. The kernel gives a pid to nobody while a
// session or group of that number exists, so members of session Pid that are
// not older than the leader are its children, unless one says that it belongs
// to somebody else.
func (id Identity) orphans(table map[int]Proc, token func(pid int) string) Sighting {
	members := id.members(table)
	for _, p := range members {
		if t := token(p.Pid); t != "" && t != id.Token {
			return Sighting{Standing: Foreign, Detail: fmt.Sprintf("%s is not ours: it carries another token", p)}
		}
	}
	if len(members) == 0 {
		return Sighting{}
	}
	return Sighting{Standing: Orphans, Members: members, Detail: fmt.Sprintf("the leader is gone, %s lives on", members[0])}
}

func tokenOf(pid int) string {
	env, err := Environ(pid)
	if err != nil {
		return ""
	}
	return env[TokenVar]
}
