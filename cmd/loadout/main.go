// Command loadout plans and applies GPU model serving.
//
// This package wires: it loads with package lang, decides with package engine,
// acts through providers, prints through internal/view. It decides nothing
// about models itself.
package main

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/loadoutdev/loadout/engine/apply"
	"github.com/loadoutdev/loadout/providers/sim"
)

// gcPercent lets the heap grow to five times what lives before it is collected:
// a command is short, and collecting would cost a quarter of its time. Beyond
// memoryLimit the collector works as usual.
const (
	gcPercent   = 400
	memoryLimit = 1 << 30
)

func main() {
	if sim.IsChild(os.Args[0]) {
		os.Exit(sim.Child(os.Args[0]))
	}
	os.Exit(run(os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, environ: os.Environ()}))
}

// streams are what a command may touch besides files.
type streams struct {
	in      io.Reader
	out     io.Writer
	err     io.Writer
	environ []string
	// record sits between an apply and its state; nil leaves it as it is. Tests
	// kill a run at every step with it.
	record func(apply.Recorder) apply.Recorder
}

// run executes one command line and returns the exit code. A crash must not
// look like one of the documented codes: Go's own would be 2.
func run(args []string, s streams) (code int) {
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(memoryLimit)
	defer func() {
		if r := recover(); r != nil {
			fmt.Fprintf(s.err, "Error: loadout crashed: %v\n\nThis is a bug. Nothing is half-written: run loadout plan to see where things stand.\n\n%s", r, debug.Stack())
			code = exitCrash
		}
	}()
	return execute(args, s)
}
