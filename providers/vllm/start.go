package vllm

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/providers/process"
)

// Start starts the server of a launch and returns when it is ready: the leader
// lives, the socket that listens on the port is its own, the server lists every
// name, and (unless opt.Probe is models) it has generated one token. /health is
// not asked: it says yes with a dead engine behind it. After a failure, or when
// ctx ends, nothing of the launch is left but its log.
func (p *Provider) Start(ctx context.Context, l engine.Launch, opt engine.StartOptions) (engine.Instance, error) {
	if err := portFree(ctx, l, nil); err != nil {
		return engine.Instance{}, err
	}
	dir := filepath.Join(opt.StateDir, opt.Dir)
	child, err := p.spawn(l, opt, dir)
	if err != nil {
		return engine.Instance{}, errors.Join(err, process.RemoveDir(dir))
	}
	in := engine.Instance{
		Model: opt.Model, Backend: l.Backend, ID: opt.ID, Token: opt.Token,
		Launch: l, LaunchDigest: l.Digest(),
		Pid: child.Pid, StartTime: child.StartTime, BootID: child.BootID,
		Log: opt.LogPath, Dir: opt.Dir, Artifact: fingerprint(l.Model), StartedAt: time.Now().UTC(),
	}
	begun, up := time.Now(), newStartup(l, opt, child)
	if err = started(in, opt); err == nil {
		err = up.await(ctx)
	}
	if err != nil {
		return engine.Instance{}, p.discard(ctx, in, opt, err)
	}
	in.ReadySeconds, in.TokenSeconds = time.Since(begun).Seconds(), up.token1.Seconds()
	return in, nil
}

func started(in engine.Instance, opt engine.StartOptions) error {
	if opt.Started == nil {
		return nil
	}
	if err := opt.Started(in); err != nil {
		return fmt.Errorf("record the start: %w", err)
	}
	return nil
}

// spawn makes the launch directory and starts the process.
func (p *Provider) spawn(l engine.Launch, opt engine.StartOptions, dir string) (*process.Child, error) {
	tmp, err := process.MakeDir(dir, l.Files)
	if err != nil {
		return nil, refused(classCommand, "", err)
	}
	env, err := process.Environment(l, p.host(opt), opt, tmp)
	if err != nil {
		return nil, refused(classArgument, "env", err)
	}
	child, err := process.Start(process.Spec{
		Argv: inDir(l.Argv, dir), Env: env, Dir: dir, Log: filepath.Join(opt.StateDir, opt.LogPath), Token: opt.Token,
	})
	if err != nil {
		return nil, refused(classCommand, "command", err)
	}
	return child, nil
}

func refused(class, field string, err error) *engine.StartError {
	e := &engine.StartError{Class: class, Cause: err.Error(), Field: field, Status: "not started"}
	if class == classCommand && field != "" {
		e.Hint = "install vLLM, run Loadout with the PATH that has it, or set command in the backend block"
	}
	return e
}

// inDir puts the launch directory in place of its placeholder.
func inDir(argv []string, dir string) []string {
	out := make([]string, len(argv))
	for i, w := range argv {
		out[i] = strings.ReplaceAll(w, engine.LaunchDir, dir)
	}
	return out
}

// discard stops what a failed start left. It goes on when ctx has ended: that is
// often the reason for it.
func (*Provider) discard(ctx context.Context, in engine.Instance, opt engine.StartOptions, cause error) error {
	patience := opt.Stop
	if patience <= 0 {
		patience = engine.DefaultStopTimeout
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience+30*time.Second)
	defer cancel()
	err := process.Stop(limited, process.Of(in), process.StopOptions{Timeout: patience, Host: in.Launch.Host, Port: in.Launch.Port})
	if err == nil {
		err = process.RemoveDir(filepath.Join(opt.StateDir, in.Dir))
	}
	if err != nil {
		return fmt.Errorf("%w; and cleaning up failed: %w", cause, err)
	}
	return cause
}
