package ollama

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

// Inspect implements engine.Provider. It never returns an error: a service that
// cannot be asked is StateUnknown.
func (p *Provider) Inspect(ctx context.Context, in engine.Instance, opt engine.InspectOptions) (engine.Live, error) {
	live := engine.Live{Instance: in}
	c := p.client(in.Launch.URL)
	timeout := cmp.Or(opt.Timeout, answerTime)
	asking, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	s, err := c.look(asking, in.Launch)
	if err != nil {
		live.State, live.Detail = engine.StateUnknown, err.Error()
		return live, nil
	}
	if recognize(&live, s, opt.StateDir) {
		if s.runner, err = c.still(asking, s.runner, opt.Generate); err != nil {
			live.State, live.Detail = engine.StateUnknown, err.Error()
			return live, nil
		}
		readBack(&live, s)
		readNames(&live, s)
		readBase(&live, s)
		judge(&live, s)
		if opt.Generate && provable(&live, s) {
			p.prove(ctx, c, &live, s, timeout)
		}
	}
	c.findLeft(asking, &live, s)
	return live, nil
}

// provable tells whether asking for a token would change nothing: a model that
// is not in memory, or not as its tag says, would be loaded by the question.
func provable(live *engine.Live, s sight) bool {
	return s.runner != nil && live.State == engine.StateReady &&
		!slices.ContainsFunc(live.Mismatches, func(m engine.Mismatch) bool { return engine.Under(m.Path, "args") })
}

// findLeft sees tags of ours that outlived the loaded model: they are what Stop
// still has to remove.
func (c *client) findLeft(ctx context.Context, live *engine.Live, s sight) {
	if live.State != engine.StateGone {
		return
	}
	live.MemoryBytes = 0
	owned, err := c.owned(ctx, s.tags, live.Instance)
	switch {
	case err != nil:
		live.State, live.Detail = engine.StateUnknown, err.Error()
	case len(owned) > 0:
		live.State = engine.StateOrphan
	}
}

// recognize finds out whether the tag is the instance; if not, it sets State.
func recognize(live *engine.Live, s sight, stateDir string) bool {
	name := live.Launch.Served[0]
	foreign := s.foreign(live.Instance)
	switch {
	case s.tag == nil:
		live.State, live.Detail = engine.StateGone, fmt.Sprintf("Ollama has no model %s", name)
		if live.Digest != "" && listedAs(s.runners, live.Digest) != nil {
			live.State = engine.StateOrphan
			live.Detail = fmt.Sprintf("the model %s was deleted, its weights are still loaded", name)
		}
	case foreign && (live.Digest == "" || s.mark == markOf(stateDir, live.Model, s.mark.token)): // replaced by a later launch
		live.State, live.Detail = engine.StateGone, fmt.Sprintf("the model %s is not of this launch", name)
	case foreign:
		live.State, live.Detail = engine.StateForeign, s.wayOut(live.Instance)
		compare(live, engine.ReasonAnswersDifferently, "digest", live.Digest, s.tag.Digest)
	case live.Digest != "" && live.Digest != s.tag.Digest && derived(live.Launch):
		live.State, live.Detail = engine.StateWrong, fmt.Sprintf("the model %s was changed by somebody else", name)
		compare(live, engine.ReasonAnswersDifferently, "digest", live.Digest, s.tag.Digest)
	default:
		live.Digest = s.tag.Digest
		return true
	}
	return false
}

// readNames compares the names that the model has with those it should have.
func readNames(live *engine.Live, s sight) {
	for _, name := range live.Launch.Served {
		if t := findTag(s.tags, name); t != nil && t.Digest == s.tag.Digest {
			live.Served = append(live.Served, name)
		}
	}
	compare(live, engine.ReasonAnswersDifferently, "served", values(live.Launch.Served), values(live.Served))
}

// readBase sees that the base was pulled again since the launch.
func readBase(live *engine.Live, s sight) {
	base := findTag(s.tags, live.Launch.Model)
	if base != nil && strings.HasPrefix(live.Artifact, artifactPrefix) {
		compare(live, engine.ReasonArtifactChanged, "source", live.Artifact, artifactPrefix+base.Digest)
	}
}

// judge sets the state of a recognized instance.
func judge(live *engine.Live, s sight) {
	keepAlive := settingsOf(live.Launch).keepAlive
	switch {
	case s.runner != nil:
		live.State, live.Detail = engine.StateReady, offloaded(*s.runner)
	case stays(keepAlive):
		live.State = engine.StateGone
		live.Detail = "no longer loaded: Ollama made room for another model, was restarted, or a client unloaded it"
	default:
		live.State = engine.StateReady
		live.Detail = fmt.Sprintf("not loaded now: idle for %s; the next request loads it", keepAlive)
	}
}

func (p *Provider) prove(ctx context.Context, c *client, live *engine.Live, s sight, timeout time.Duration) {
	asking, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := c.generate(asking, live.Launch.Served[0], embeds(s.shown))
	switch {
	case err == nil:
	case errors.Is(err, context.DeadlineExceeded):
		live.State, live.Detail = engine.StateHung, fmt.Sprintf("no token within %v", timeout)
	default:
		live.State, live.Detail = engine.StateHung, "cannot generate: "+err.Error()
	}
}

func values(names []string) []any {
	out := make([]any, len(names))
	for i, n := range names {
		out[i] = n
	}
	return out
}
