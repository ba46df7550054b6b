package ollama

import (
	"context"
	"fmt"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

// claim makes sure that every name of the launch is free for it. A tag that is
// not ours is never overwritten; only one that already is what the launch wants
// may be used as it is.
func (s *launching) claim(ctx context.Context) error {
	l := s.instance.Launch
	if !derived(l) {
		return nil
	}
	tags, err := s.c.tags(ctx)
	if err != nil {
		return err
	}
	for _, name := range l.Served {
		t := findTag(tags, name)
		if t == nil && !s.reuse {
			continue
		}
		if t == nil { // a copy of what is not ours could not be told from it later
			return &engine.StartError{Class: "name_taken", Field: "aliases",
				Cause: fmt.Sprintf("Loadout did not make the model %s and gives it no further name", l.Served[0]),
				Hint:  "make it: ollama cp " + l.Served[0] + " " + name}
		}
		if err := s.claimTag(ctx, *t); err != nil {
			return err
		}
	}
	return nil
}

func (s *launching) claimTag(ctx context.Context, t tag) error {
	now, err := s.c.look(ctx, withName(s.instance.Launch, t.Name))
	if err != nil {
		return err
	}
	mine := markOf(s.opt.StateDir, s.opt.Model, s.opt.Token)
	first := sameName(t.Name, s.instance.Launch.Served[0])
	switch {
	case now.tag == nil: // deleted meanwhile
		return nil
	case !now.marked && (first || s.reuse) && s.satisfied(ctx, now):
		if first { // a tag without our mark is recognized by its digest
			s.reuse, s.instance.Digest = true, t.Digest
		}
		return nil
	case !now.marked:
		return &engine.StartError{Class: "name_taken", Field: "served_name",
			Cause: fmt.Sprintf("Ollama has a model %s that Loadout did not make", t.Name),
			Hint:  takenHint(s.opt.Model, t.Name)}
	case now.mark.owner != mine.owner:
		return &engine.StartError{Class: "name_taken", Field: "served_name",
			Cause: fmt.Sprintf("the model %s belongs to another model or workspace of Loadout", t.Name),
			Hint:  "choose another served_name; if that workspace is no more: ollama rm " + t.Name}
	case now.mark.token != mine.token && now.runner != nil && now.runner.Digest == t.Digest:
		return &engine.StartError{Class: "name_taken", Field: "served_name",
			Cause: fmt.Sprintf("the model %s of an earlier launch is still loaded", t.Name),
			Hint:  "stop it first"}
	}
	s.stale = append(s.stale, t.Name)
	return nil
}

// satisfied tells whether a tag that somebody else made is what the launch
// would make.
func (s *launching) satisfied(ctx context.Context, now sight) bool {
	base, err := s.c.show(ctx, s.set.from)
	if err != nil || weights(base) == "" || weights(base) != weights(now.shown) {
		return false
	}
	want, have := readParameters(base.Parameters), readParameters(now.shown.Parameters)
	for name, v := range s.set.parameters {
		want[name] = v
	}
	template := base.Template
	if s.set.template != "" {
		template = s.set.template
	}
	return engine.EqualValues(want, have) && template == now.shown.Template
}

// fetch pulls the base if it is missing, and holds it against the digest that
// the source is pinned to.
func (s *launching) fetch(ctx context.Context) error {
	base, err := s.base(ctx)
	if err != nil {
		return err
	}
	if base == nil {
		s.say("pulling " + s.set.from)
		if err := s.c.pull(ctx, s.set.from, s.p.stall, s.report); err != nil {
			return fmt.Errorf("pull %s: %w", s.set.from, err)
		}
		if base, err = s.base(ctx); err != nil {
			return err
		}
		if base == nil {
			return fmt.Errorf("pull %s: Ollama reports success and does not list the model", s.set.from)
		}
	}
	if pin := s.instance.Launch.Artifact; pin != "" && pin != "sha256:"+base.Digest {
		return &engine.StartError{Class: "missing_file", Field: "source",
			Cause: fmt.Sprintf("%s is sha256:%s, not the %s that the source names", base.Name, base.Digest, pin)}
	}
	s.instance.Artifact = artifactPrefix + base.Digest
	return nil
}

func (s *launching) base(ctx context.Context) (*tag, error) {
	tags, err := s.c.tags(ctx)
	return findTag(tags, s.set.from), err
}

// derive makes the tags of the launch. Creating over an existing tag would keep
// its parameters, so what an earlier launch left goes first.
func (s *launching) derive(ctx context.Context) error {
	for _, name := range s.stale {
		if err := s.c.delete(ctx, name); err != nil {
			return fmt.Errorf("delete %s of an earlier launch: %w", name, err)
		}
	}
	l := s.instance.Launch
	if s.reuse {
		return nil
	}
	s.say("creating " + l.Served[0])
	s.made = true
	if err := s.create(ctx); err != nil {
		return fmt.Errorf("create %s: %w", l.Served[0], err)
	}
	for _, alias := range l.Served[1:] {
		if err := s.c.copy(ctx, l.Served[0], alias); err != nil {
			return fmt.Errorf("create alias %s: %w", alias, err)
		}
	}
	return ctx.Err()
}

// create is given a moment to end after ctx is done: the service does not stop
// creating when we hang up, and what it made can only be removed once it is
// there.
func (s *launching) create(ctx context.Context) error {
	const moment = 5 * time.Second
	creating, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(moment, cancel) })()
	m := markOf(s.opt.StateDir, s.opt.Model, s.opt.Token).String()
	return s.c.create(creating, s.instance.Launch.Served[0], m, s.set, s.p.stall, s.report)
}

// withName is the launch as seen under another of its names.
func withName(l engine.Launch, name string) engine.Launch {
	l.Served = []string{name}
	return l
}
