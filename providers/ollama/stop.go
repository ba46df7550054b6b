package ollama

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

// Stop implements engine.Provider: it unloads the model, waits until the
// service no longer lists it, and deletes the tags that carry our mark. A tag
// that was adopted stays, and one that somebody else made again is refused before
// anything is done. Nobody can kill a runner that is busy: when it is not
// gone in time, that is an error, and the tags stay so that it can be found.
func (p *Provider) Stop(ctx context.Context, in engine.Instance, opt engine.StopOptions) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(opt.Timeout, engine.DefaultStopTimeout))
	defer cancel()
	report := opt.Progress
	if report == nil {
		report = func(engine.Progress) {}
	}
	if err := p.remove(ctx, p.client(in.Launch.URL), in, report); err != nil {
		return fmt.Errorf("stop %s: %w", in.Model, err)
	}
	return nil
}

// remove takes an instance out of memory and its tags off the disk.
func (p *Provider) remove(ctx context.Context, c *client, in engine.Instance, report func(engine.Progress)) error {
	s, err := c.look(ctx, in.Launch)
	if err != nil {
		return err
	}
	if s.foreign(in) {
		return &foreignError{s.wayOut(in)}
	}
	owned, err := c.owned(ctx, s.tags, in)
	if err != nil {
		return err
	}
	shared, err := c.sharedWith(ctx, in, s)
	if err != nil {
		return err
	}
	name := in.Launch.Served[0]
	if s.tag == nil {
		name = in.Launch.Model // unloads the weights, by whichever tag they were loaded
	}
	if !shared {
		if listed(s.runners, digests(in, s)) {
			report(engine.Progress{Phase: "unloading", Fraction: -1})
		}
		if err := p.unload(ctx, c, name, digests(in, s)); err != nil {
			return err
		}
	}
	for _, tag := range owned {
		if err := c.delete(ctx, tag); err != nil {
			return err
		}
	}
	if shared || len(owned) == 0 {
		return nil
	}
	// A client may have loaded it again before the tag was gone.
	return p.unload(ctx, c, in.Launch.Model, digests(in, s))
}

// owned lists the tags of the instance that carry its mark.
func (c *client) owned(ctx context.Context, tags []tag, in engine.Instance) ([]string, error) {
	var names []string
	if !derived(in.Launch) {
		return nil, nil
	}
	for _, name := range in.Launch.Served {
		if findTag(tags, name) == nil {
			continue
		}
		s, err := c.show(ctx, name)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if m, marked := readMark(s.License); marked && in.Token != "" && m.token == in.Token {
			names = append(names, name)
		}
	}
	return names, nil
}

// sharedWith tells whether the runner is listed under a tag of another launch of
// Loadout: that one needs it further on.
func (c *client) sharedWith(ctx context.Context, in engine.Instance, s sight) (bool, error) {
	if s.runner == nil || s.tag == nil || s.runner.Digest == s.tag.Digest {
		return false, nil
	}
	other, err := c.show(ctx, s.runner.Name)
	if isNotFound(err) {
		return false, nil
	}
	m, marked := readMark(other.License)
	return marked && m.token != in.Token, err
}

// digests are the manifests under which the runner of an instance may be listed.
func digests(in engine.Instance, s sight) []string {
	var out []string
	if in.Digest != "" {
		out = append(out, in.Digest)
	}
	if s.tag != nil {
		out = append(out, s.tag.Digest)
	}
	if s.runner != nil {
		out = append(out, s.runner.Digest)
	}
	return out
}

func listed(runners []runner, digests []string) bool {
	return slices.ContainsFunc(runners, func(r runner) bool { return slices.Contains(digests, r.Digest) })
}

// unload asks until no runner of the digests is listed: the answer to an unload
// says nothing, and a busy runner goes when its last request has ended.
func (p *Provider) unload(ctx context.Context, c *client, name string, digests []string) error {
	const longest = 500 * time.Millisecond
	for wait := p.poll; ; wait = min(2*wait, longest) {
		runners, err := c.running(ctx)
		if err != nil {
			return err
		}
		if !listed(runners, digests) {
			return nil
		}
		if err := c.unload(ctx, name); err != nil && !isNotFound(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is still loaded: %w", name, ctx.Err())
		case <-time.After(wait):
		}
	}
}
