package main

import (
	"os"
	"strconv"
	"syscall"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/apply"
	"github.com/loadoutdev/loadout/engine/store"
)

// mainKilled is the command loadout-killed N ARG…: loadout, killed with SIGKILL
// at the Nth point of its run. Every call that changes the state is two points:
// before it and after it.
func mainKilled() {
	n, err := strconv.Atoi(os.Args[1])
	if err != nil {
		os.Exit(99)
	}
	os.Exit(run(os.Args[2:], streams{
		in: os.Stdin, out: os.Stdout, err: os.Stderr, environ: os.Environ(),
		record: func(r apply.Recorder) apply.Recorder { return &killer{Recorder: r, left: n} },
	}))
}

// killer counts the points and kills its own process at the last one.
type killer struct {
	apply.Recorder
	left int
}

func (k *killer) point() {
	k.left--
	if k.left == 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal arrives, nothing goes on
	}
}

func (k *killer) Begin(plan string) error {
	k.point()
	defer k.point()
	return k.Recorder.Begin(plan)
}

func (k *killer) Intent(s store.Step) (int64, error) {
	k.point()
	defer k.point()
	return k.Recorder.Intent(s)
}

func (k *killer) Note(seq int64, in engine.Instance) error {
	k.point()
	defer k.point()
	return k.Recorder.Note(seq, in)
}

func (k *killer) Write(edit func(*engine.Snapshot)) (int64, error) {
	k.point()
	defer k.point()
	return k.Recorder.Write(edit)
}

func (k *killer) Result(seq int64, failed error) error {
	k.point()
	defer k.point()
	return k.Recorder.Result(seq, failed)
}

func (k *killer) End() error {
	k.point()
	defer k.point()
	return k.Recorder.End()
}
