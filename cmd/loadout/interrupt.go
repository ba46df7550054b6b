package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
)

// interrupts are the signals that end an apply before its time. Until it begins
// to act, the first one ends it; from then on the first one lets the step in
// hand be finished, and the second one stops at once. SIGQUIT is as good as two.
type interrupts struct {
	early  context.Context // canceled by the first
	hard   context.Context // canceled by the second
	soft   <-chan struct{} // closed by the first
	acting atomic.Bool     // effects have begun: there is something to tell
	c      *cli
}

// errInterrupted ends a run that has not begun to act.
var errInterrupted = &exit{exitInterrupted, errors.New("interrupted: nothing was changed")}

// interrupts listens until release is called.
func (c *cli) interrupts(parent context.Context) (in *interrupts, release func()) {
	soft := make(chan struct{})
	in = &interrupts{soft: soft, c: c}
	var cancelEarly, cancelHard context.CancelFunc
	in.hard, cancelHard = context.WithCancel(parent)
	in.early, cancelEarly = context.WithCancel(in.hard)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT)
	if !signal.Ignored(syscall.SIGHUP) { // nohup
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		if in.wait(signals, soft, cancelEarly) {
			cancelHard()
		}
	}()
	return in, func() { signal.Stop(signals); cancelEarly(); cancelHard() }
}

// wait tells whether to stop at once.
func (in *interrupts) wait(signals <-chan os.Signal, soft chan<- struct{}, cancelEarly func()) bool {
	for first := true; ; first = false {
		select {
		case s := <-signals:
			if first {
				close(soft)
				cancelEarly()
			}
			switch {
			case !first:
				in.say("Interrupted again: stopping now.")
				return true
			case s == syscall.SIGQUIT:
				in.say("Interrupted: stopping now.")
				return true
			}
			in.say("Interrupted: the step in hand is finished and recorded, nothing new is started. Again to stop at once.")
		case <-in.hard.Done():
			return false
		}
	}
}

func (in *interrupts) say(text string) {
	if in.acting.Load() {
		fmt.Fprintln(in.c.err, text)
	}
}

// survivePipe makes a reader that went away (| head) an error of the write
// instead of the end of the process, from here on. The signal is taken and not
// ignored: what is ignored here would be ignored in the servers that are started.
func survivePipe() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// shellWord quotes a word so that it can be pasted into a shell.
func shellWord(s string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@%+,", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !safe(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
