package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// interrupts turns the first SIGINT or SIGTERM into a closed soft channel (the
// step in hand is finished) and the second into a canceled context.
func (c *cli) interrupts(parent context.Context) (ctx context.Context, soft <-chan struct{}, release func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	closing := make(chan struct{})
	go func() {
		select {
		case <-signals:
			close(closing)
			fmt.Fprintln(c.err, "Interrupted: the step in hand is finished and recorded, nothing new is started. Again to stop at once.")
		case <-ctx.Done():
			return
		}
		select {
		case <-signals:
			fmt.Fprintln(c.err, "Interrupted again: stopping now.")
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, closing, func() { signal.Stop(signals); cancel() }
}

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
