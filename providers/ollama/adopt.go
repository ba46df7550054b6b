package ollama

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/loadoutdev/loadout/engine"
)

// Adopt implements engine.Adopter: it takes over a model that is installed under
// the served name and loaded, by the digest of its manifest. pid must be 0. How
// the model differs from the launch is for Inspect to say. An adopted tag is
// never deleted.
func (p *Provider) Adopt(ctx context.Context, l engine.Launch, pid int, opt engine.InspectOptions) (engine.Instance, error) {
	if pid != 0 {
		return engine.Instance{}, errors.New("remove pid: an Ollama model is adopted by name")
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(opt.Timeout, answerTime))
	defer cancel()
	s, err := p.client(l.URL).look(ctx, l)
	switch {
	case err != nil:
		return engine.Instance{}, err
	case s.tag == nil:
		return engine.Instance{}, fmt.Errorf("Ollama at %s has no model %s", l.URL, l.Served[0])
	case s.marked && derived(l):
		return engine.Instance{}, fmt.Errorf("the model %s belongs to another model or workspace of Loadout", l.Served[0])
	case s.runner == nil:
		return engine.Instance{}, fmt.Errorf("the model %s is not loaded, so nothing runs that could be adopted: load it with %q", l.Served[0], "ollama run "+l.Served[0]+" ''")
	}
	return engine.Instance{
		Backend: l.Backend, Launch: l, LaunchDigest: l.Digest(), Digest: s.tag.Digest,
		MemoryBytes: s.runner.VRAM, Adopted: true,
	}, nil
}
