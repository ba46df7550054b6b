package vllm

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/providers/process"
)

// teardown is what an orderly end takes after the last request (4 to 8 s).
const teardown = 15 * time.Second

// Stop ends the server and its engine processes, and removes the launch
// directory. The log stays.
func (*Provider) Stop(ctx context.Context, in engine.Instance, opt engine.StopOptions) error {
	id, err := locate(in, opt.StateDir)
	if err != nil {
		return err
	}
	if in.Adopted && process.Argv(id.Pid) != nil && !looksLikeServer(process.Argv(id.Pid)) {
		return fmt.Errorf("stop: pid %d is no vLLM server: %w", id.Pid, engine.ErrForeign)
	}
	err = process.Stop(ctx, id, process.StopOptions{
		Timeout: patience(in.Launch, opt.Timeout), Host: in.Launch.Host, Port: in.Launch.Port,
		Progress: func(phase string) {
			if opt.Progress != nil {
				opt.Progress(engine.Progress{Phase: phase, Fraction: -1})
			}
		},
	})
	if err != nil || in.Dir == "" {
		return err
	}
	return process.RemoveDir(filepath.Join(opt.StateDir, in.Dir))
}

// patience is how long the leader may take: what the user allows, but not less
// than the drain that its own arguments promise to open requests.
func patience(l engine.Launch, allowed time.Duration) time.Duration {
	if allowed <= 0 {
		allowed = engine.DefaultStopTimeout
	}
	c, ok := cut(l.Argv, l.Model)
	if !ok {
		return allowed
	}
	if drain, ok := c.fields()["args.shutdown_timeout"].(int64); ok && drain > 0 {
		return max(allowed, time.Duration(drain)*time.Second+teardown)
	}
	return allowed
}
