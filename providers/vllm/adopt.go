package vllm

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/providers/process"
)

// Adopt takes over a server that somebody else has started. It must belong to
// this user, look like a vLLM server, listen on the launch's port and list its
// name. pid 0 means whoever listens on the port. The instance has no token (it
// keeps the one that an earlier Loadout gave it): it is recognized by pid, start
// time and boot. Where its arguments differ from the launch, Inspect says so.
func (p *Provider) Adopt(ctx context.Context, l engine.Launch, pid int, opt engine.InspectOptions) (engine.Instance, error) {
	leader, err := adoptee(l, pid)
	if err != nil {
		return engine.Instance{}, fmt.Errorf("adopt: %w", err)
	}
	boot, err := process.BootID()
	if err != nil {
		return engine.Instance{}, fmt.Errorf("adopt: %w", err)
	}
	env, err := process.Environ(leader.Pid)
	if err != nil {
		return engine.Instance{}, fmt.Errorf("adopt: %w", err)
	}
	in := engine.Instance{
		Backend: l.Backend, Token: env[process.TokenVar], Launch: l, LaunchDigest: l.Digest(), Adopted: true,
		Pid: leader.Pid, StartTime: leader.Start, BootID: boot,
		Artifact: fingerprint(l.Model), StartedAt: startedAt(leader.Pid),
	}
	live, err := p.Inspect(ctx, in, opt)
	if err != nil {
		return engine.Instance{}, fmt.Errorf("adopt: %w", err)
	}
	if live.State != engine.StateReady {
		return engine.Instance{}, fmt.Errorf("adopt: %s is %s: %s", leader, live.State, live.Detail)
	}
	return in, nil
}

// adoptee finds the process and checks that it can be a server of this user.
func adoptee(l engine.Launch, pid int) (process.Proc, error) {
	if pid == 0 {
		return listener(l)
	}
	p, alive := process.Lookup(pid)
	switch {
	case !alive:
		return p, fmt.Errorf("no process has the pid %d", pid)
	case !p.Mine():
		return p, fmt.Errorf("%s belongs to another user", p)
	case !looksLikeServer(process.Argv(pid)):
		return p, fmt.Errorf("%s does not look like a vLLM server", p)
	}
	return p, nil
}

// listener is the server on the launch's port.
func listener(l engine.Launch) (process.Proc, error) {
	listeners, err := process.Listeners(l.Host, l.Port)
	if err != nil {
		return process.Proc{}, err
	}
	table, err := process.All()
	if err != nil {
		return process.Proc{}, err
	}
	var servers []process.Proc
	for _, p := range table {
		if p.Mine() && looksLikeServer(process.Argv(p.Pid)) {
			servers = append(servers, p)
		}
	}
	for _, s := range listeners {
		if p, ok := s.Holder(servers); ok {
			return p, nil
		}
	}
	return process.Proc{}, fmt.Errorf("no vLLM server of this user listens on port %d", l.Port)
}

// looksLikeServer: "vllm serve", however it is started, or its older module.
func looksLikeServer(argv []string) bool {
	module := func(w string) bool { return strings.Contains(w, "vllm.entrypoints.openai.api_server") }
	named := func(w string) bool { return strings.Contains(w, "vllm") }
	return slices.ContainsFunc(argv, module) || slices.Contains(argv, "serve") && slices.ContainsFunc(argv, named)
}
