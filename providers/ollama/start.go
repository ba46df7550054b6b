package ollama

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

// artifactPrefix marks Instance.Artifact as the manifest digest of the base.
const artifactPrefix = "ollama:"

// launching is one start on its way.
type launching struct {
	p        *Provider
	c        *client
	opt      engine.StartOptions
	set      settings
	instance engine.Instance
	began    time.Time
	reuse    bool     // the tag exists, is not ours and says what the launch says
	stale    []string // tags that an earlier launch of this model left
	made     bool     // a tag was made, or may have been
	loads    bool     // the model was not loaded before we asked for it
}

// Start implements engine.Provider. A base that is missing is pulled; it stays,
// also after a failure, and so does what was pulled of it. opt.Timeout limits
// the loading; a pull may take as long as it makes progress.
func (p *Provider) Start(ctx context.Context, l engine.Launch, opt engine.StartOptions) (engine.Instance, error) {
	s := &launching{p: p, c: p.client(l.URL), opt: opt, set: settingsOf(l), began: time.Now(),
		instance: engine.Instance{Model: opt.Model, Backend: l.Backend, ID: opt.ID, Token: opt.Token,
			Launch: l, LaunchDigest: l.Digest(), StartedAt: time.Now().UTC()}}
	if err := s.run(ctx); err != nil {
		failure := startError(err, ctx)
		if left := s.undo(ctx); left != nil {
			failure.Cause += "; what was made could not be removed: " + oneLine(left.Error())
		}
		return engine.Instance{}, failure
	}
	return s.instance, nil
}

func (s *launching) run(ctx context.Context) error {
	if err := s.c.reach(ctx); err != nil {
		return err
	}
	if err := s.claim(ctx); err != nil {
		return err
	}
	if s.opt.Started != nil {
		if err := s.opt.Started(s.instance); err != nil {
			return fmt.Errorf("record the start: %w", err)
		}
	}
	if err := s.fetch(ctx); err != nil {
		return err
	}
	if derived(s.instance.Launch) {
		if err := s.derive(ctx); err != nil {
			return err
		}
	}
	return s.ready(ctx)
}

func (s *launching) report(p engine.Progress) {
	if s.opt.Progress != nil {
		s.opt.Progress(p)
	}
}

func (s *launching) say(phase string) { s.report(engine.Progress{Phase: phase, Fraction: -1}) }

// ready loads the model and returns when it can be used.
func (s *launching) ready(ctx context.Context) error {
	if s.opt.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.opt.Timeout, errNotReady)
		defer cancel()
	}
	l := s.instance.Launch
	before, err := s.c.look(ctx, l)
	if err != nil {
		return err
	}
	if before.tag == nil {
		return fmt.Errorf("the model %s vanished while it was started", l.Served[0])
	}
	s.say("loading weights")
	s.loads = before.runner == nil
	if err := s.c.load(ctx, l.Served[0], embeds(before.shown), wireKeepAlive(s.set.keepAlive)); err != nil {
		return err
	}
	now, err := s.c.look(ctx, l)
	if err != nil {
		return err
	}
	if err := s.confirm(now); err != nil {
		return err
	}
	if s.opt.Probe != engine.ProbeModels {
		s.say("asking for a token")
		if err := s.c.generate(ctx, l.Served[0], embeds(now.shown)); err != nil {
			return fmt.Errorf("loaded, but cannot generate: %w", err)
		}
	}
	s.instance.ReadySeconds = time.Since(s.began).Seconds()
	return nil
}

// confirm believes what the service lists, not that the load was answered.
func (s *launching) confirm(now sight) error {
	switch {
	case now.tag == nil || now.runner == nil:
		return &engine.StartError{Class: "exited", Cause: "Ollama loaded the model and dropped it at once",
			Hint: "another model may need the memory: see ollama ps"}
	case !s.reuse && derived(s.instance.Launch) && !now.ours(s.instance.Token):
		return &engine.StartError{Class: "wrong_model",
			Cause: fmt.Sprintf("the model %s was made again by somebody else during the start", now.tag.Name)}
	}
	if declared, ok := s.set.parameters["num_ctx"]; ok && !engine.EqualValues(declared, now.runner.ContextLength) {
		return &engine.StartError{Class: "argument", Field: "args.num_ctx",
			Cause: fmt.Sprintf("Ollama loaded the model with a context of %d tokens, %v were declared", now.runner.ContextLength, declared),
			Hint:  "the model was trained for fewer, or another model with the same weights is in use"}
	}
	s.instance.Digest, s.instance.MemoryBytes = now.tag.Digest, now.runner.VRAM
	return nil
}

// undo removes what the start made, also when ctx is done. Before anything was
// made the service is not even asked: it may be why the start failed.
func (s *launching) undo(ctx context.Context) error {
	if !s.made && !s.loads {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cmp.Or(s.opt.Stop, engine.DefaultStopTimeout))
	defer cancel()
	err := s.p.remove(ctx, s.c, s.instance, func(engine.Progress) {})
	if errors.Is(err, engine.ErrForeign) {
		return nil // the name is not ours, or no longer
	}
	return err
}
