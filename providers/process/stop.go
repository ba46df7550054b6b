package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

// StopOptions for Stop.
type StopOptions struct {
	Timeout  time.Duration // for the leader, between the first TERM and KILL
	Host     string        // where it listens
	Port     int           // 0: nowhere
	Progress func(phase string)
}

// Times of the stop sequence. A server that is still loading may swallow one
// TERM, and two that come close together are one.
const (
	secondTerm   = 1500 * time.Millisecond
	childGrace   = time.Second     // between the end of the leader and KILL for its children
	trackerGrace = 3 * time.Second // for the resource tracker to clean up
	killGrace    = 5 * time.Second // for the kernel, after KILL
	portGrace    = 2 * time.Second
	pollEvery    = 50 * time.Millisecond
)

// Stop ends the process with all its children and returns when none is left and
// its port is free. It asks the leader with TERM, more than once, and then
// kills what remains, the resource tracker last. That it is gone already is
// success. What is not proved to be the process is never signaled: the error
// wraps engine.ErrForeign. When ctx ends, Stop returns at once and the processes
// may live on.
func Stop(ctx context.Context, id Identity, opt StopOptions) error {
	seen, err := id.Look()
	if err != nil {
		return err
	}
	switch seen.Standing {
	case Gone:
		return nil
	case Foreign, Elsewhere:
		return fmt.Errorf("stop: %s: %w", seen.Detail, engine.ErrForeign)
	case Running, Orphans:
	}
	held := holdsPort(seen, opt)
	e := ending{id: id, opt: opt, known: map[int]Proc{}}
	e.remember(seen.Members)
	asked := false
	if seen.Standing == Running {
		if asked, err = e.ask(ctx); err != nil {
			return err
		}
	}
	if err := e.clear(ctx, asked); err != nil {
		return err
	}
	if held {
		return awaitPort(ctx, opt)
	}
	return nil
}

// ending is one Stop under way. known keeps every member that was ever seen: a
// child in a session of its own is found by its parents only while they live.
type ending struct {
	id    Identity
	opt   StopOptions
	known map[int]Proc
}

func (e *ending) remember(ps []Proc) {
	for _, p := range ps {
		e.known[p.Pid] = p
	}
}

func (e *ending) say(format string, args ...any) {
	if e.opt.Progress != nil {
		e.opt.Progress(fmt.Sprintf(format, args...))
	}
}

// ask sends TERM to the leader and waits for its end, but no longer than the
// timeout. ended is false when it did not do as it was asked.
func (e *ending) ask(ctx context.Context) (ended bool, err error) {
	begun := time.Now()
	terms := []time.Duration{0, secondTerm, max(e.opt.Timeout/2, 2*secondTerm)}
	for sent := 0; ; {
		seen, err := e.id.Look()
		if err != nil {
			return false, err
		}
		e.remember(seen.Members)
		if seen.Standing != Running {
			return true, nil
		}
		passed := time.Since(begun)
		if sent > 0 && passed >= e.opt.Timeout {
			return false, nil
		}
		if sent < len(terms) && passed >= terms[sent] {
			e.say("asking pid %d to end", e.id.Pid)
			if err := send(seen.Members[0], syscall.SIGTERM); err != nil {
				return false, err
			}
			sent++
		}
		if err := sleep(ctx, pollEvery); err != nil {
			return false, err
		}
	}
}

// clear kills what is left, the resource tracker last. Children of a leader that
// ended as it was asked are about to end, too.
func (e *ending) clear(ctx context.Context, asked bool) error {
	grace := time.Duration(0)
	if asked {
		grace = childGrace
	}
	left, err := e.await(ctx, grace, nil)
	if err != nil {
		return err
	}
	trackers := map[int]bool{}
	for _, p := range left {
		trackers[p.Pid] = isTracker(p)
	}
	if err := e.kill(left, func(p Proc) bool { return !trackers[p.Pid] }); err != nil {
		return err
	}
	if left, err = e.await(ctx, trackerGrace, nil); err != nil {
		return err
	}
	if err := e.kill(left, func(Proc) bool { return true }); err != nil {
		return err
	}
	left, err = e.await(ctx, killGrace, func(p Proc) error { return send(p, syscall.SIGKILL) })
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("stop: %s does not end although it was killed", left[0])
	}
	return nil
}

func (e *ending) kill(ps []Proc, which func(Proc) bool) error {
	for _, p := range ps {
		if !which(p) {
			continue
		}
		e.say("killing %s", p)
		if err := send(p, syscall.SIGKILL); err != nil {
			return err
		}
	}
	return nil
}

// left are the members, known or new, that still live.
func (e *ending) left() ([]Proc, error) {
	table, err := All()
	if err != nil {
		return nil, err
	}
	e.remember(e.id.members(table))
	var out []Proc
	for pid, p := range e.known {
		if now, alive := table[pid]; !alive || now.Start != p.Start {
			delete(e.known, pid)
			continue
		}
		if pid == e.id.Pid {
			out = append([]Proc{p}, out...)
			continue
		}
		out = append(out, p)
	}
	return out, nil
}

// await waits until nothing is left or the time is over; late is done to what
// is seen meanwhile.
func (e *ending) await(ctx context.Context, limit time.Duration, late func(Proc) error) ([]Proc, error) {
	for begun := time.Now(); ; {
		left, err := e.left()
		if err != nil || len(left) == 0 || time.Since(begun) >= limit {
			return left, err
		}
		for _, p := range left {
			if late == nil {
				break
			}
			if err := late(p); err != nil {
				return left, err
			}
		}
		if err := sleep(ctx, pollEvery); err != nil {
			return left, err
		}
	}
}

// send signals exactly this process. The handle is taken first and the start
// time compared after it, so that a pid that was given to another process in
// between is noticed.
func send(p Proc, sig syscall.Signal) error {
	handle, err := os.FindProcess(p.Pid)
	if err != nil {
		return nil // gone
	}
	defer func() { _ = handle.Release() }()
	now, alive := Lookup(p.Pid)
	if !alive || now.Start != p.Start {
		return nil
	}
	err = handle.Signal(sig)
	switch {
	case err == nil, errors.Is(err, os.ErrProcessDone), errors.Is(err, syscall.ESRCH):
		return nil
	case errors.Is(err, syscall.EPERM):
		return fmt.Errorf("stop: %s belongs to another user: %w", p, engine.ErrForeign)
	}
	return fmt.Errorf("stop: signal %s: %w", p, err)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return fmt.Errorf("stop: %w", context.Cause(ctx))
	case <-time.After(d):
		return nil
	}
}
