package vllm

import (
	"context"
	"errors"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/providers/process"
)

var (
	_ engine.Preflighter = (*Provider)(nil)
	_ engine.Sweeper     = (*Provider)(nil)
)

// Preflight finds what would end the start after seconds or minutes, while the
// server that is to make room still serves: a program, an environment or weights
// that cannot be used, a port that somebody else has.
func (p *Provider) Preflight(ctx context.Context, l engine.Launch, ending []engine.Instance, opt engine.StartOptions) error {
	env, err := process.Environment(l, p.host(opt), opt, "")
	if err != nil {
		return refused(classArgument, "env", err)
	}
	if err := process.Startable(l.Argv, env); err != nil {
		return refused(classCommand, "command", err)
	}
	if err := checkWeights(l); err != nil {
		return err
	}
	leaving, err := membersOn(l.Port, ending, opt.StateDir)
	if err != nil {
		return err
	}
	return portFree(ctx, l, leaving)
}

// membersOn are the processes of those instances that have the port. What is not
// provably ours is not among them.
func membersOn(port int, instances []engine.Instance, stateDir string) ([]process.Proc, error) {
	var out []process.Proc
	for _, in := range instances {
		if in.Launch.Port != port {
			continue
		}
		id, err := locate(in, stateDir)
		if err != nil {
			return nil, err
		}
		seen, err := id.Look()
		if err != nil {
			return nil, err
		}
		if seen.Standing == process.Running || seen.Standing == process.Orphans {
			out = append(out, seen.Members...)
		}
	}
	return out, nil
}

// checkWeights looks at the folder that the server is told to load. A name on the
// hub, a single file and formats other than safetensors are left to vLLM.
func checkWeights(l engine.Launch) error {
	flags := map[string]engine.Value{}
	if c, ok := cut(l.Argv, l.Model); ok {
		flags = c.fields()
	}
	err := modelFolder{path: l.Model, flags: flags}.check()
	if err == nil {
		return nil
	}
	e := &engine.StartError{Class: classMissing, Cause: err.Error(), Field: "source", Status: "not started",
		Hint: "put the files back, or download the model again"}
	var damaged *damagedError
	if errors.As(err, &damaged) {
		e.Class = classBadFile
	}
	return e
}

// Sweep removes the directories of launches that are over.
func (*Provider) Sweep(root string, keep []string) error { return process.SweepDirs(root, keep) }
