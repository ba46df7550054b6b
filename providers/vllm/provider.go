package vllm

import (
	"context"
	"fmt"
	"os"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/providers/process"
)

// Provider drives vLLM servers. It has no state: what it knows about an
// instance comes from the instance and from the machine.
type Provider struct {
	environ func() []string // where the pass-list is taken from
}

var (
	_ engine.Provider        = (*Provider)(nil)
	_ engine.Adopter         = (*Provider)(nil)
	_ engine.MemoryEstimator = (*Provider)(nil)
	_ engine.Revealer        = (*Provider)(nil)
)

// New makes a provider. The variables of the pass-list come from the
// environment that Loadout itself has when a model is started, unless a start says
// otherwise.
func New() *Provider { return &Provider{environ: os.Environ} }

// host is the environment from which a launch takes the pass-list.
func (p *Provider) host(opt engine.StartOptions) []string {
	if opt.Environ != nil {
		return opt.Environ
	}
	return p.environ()
}

// Effect says what it costs to change a field. Everything that is written and
// reaches the command line or the environment needs a restart. A fact needs one
// only if it changes the launch, which the plan sees by its digest.
func (*Provider) Effect(path string) engine.Effect {
	switch engine.Root(path) {
	case "source", "backend", "url":
		return engine.EffectReplace
	case "args", "extra_args", "env", "command", "chat_template", "generation",
		"host", "port", "gpus", "served_name", "aliases":
		return engine.EffectRestart
	}
	return engine.EffectHot
}

// Reveal reads the environment of the running leader.
func (*Provider) Reveal(_ context.Context, in engine.Instance) (map[string]string, error) {
	id, err := locate(in, "")
	if err != nil {
		return nil, err
	}
	seen, err := id.Look()
	if err != nil {
		return nil, err
	}
	if seen.Standing != process.Running {
		return nil, fmt.Errorf("%s does not run: its environment cannot be read", in.Model)
	}
	return process.Environ(id.Pid)
}

// locate is the identity of an instance; one of which only the token is known
// is looked for. The identity is empty when there is none. With a state directory
// it must belong there.
func locate(in engine.Instance, stateDir string) (process.Identity, error) {
	id := process.In(stateDir, in)
	if id.Token == "" || id.Pid != 0 && id.StartTime != 0 {
		return id, nil
	}
	found, _, err := process.Find(id.Token)
	found.Home = id.Home
	return found, err
}
