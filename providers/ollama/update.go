package ollama

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/loadoutdev/loadout/engine"
)

// Update implements engine.Updater: it changes how long the model stays loaded
// and which further names it has, without a reload.
func (p *Provider) Update(ctx context.Context, old engine.Instance, l engine.Launch, opt engine.StartOptions) (engine.Instance, error) {
	if !updatable(old.Launch, l) {
		return old, fmt.Errorf("update %s: more than keep_alive and aliases would change", old.Model)
	}
	if opt.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, opt.Timeout, errNotReady)
		defer cancel()
	}
	c := p.client(l.URL)
	s, err := c.look(ctx, old.Launch)
	switch {
	case err != nil:
		return old, fmt.Errorf("update %s: %w", old.Model, err)
	case s.tag == nil:
		return old, fmt.Errorf("update %s: Ollama has no model %s any more", old.Model, l.Served[0])
	case s.foreign(old):
		return old, fmt.Errorf("update %s: %w", old.Model, &foreignError{s.wayOut(old)})
	}
	if err := c.rename(ctx, s, old, l); err != nil {
		return old, fmt.Errorf("update %s: %w", old.Model, err)
	}
	if err := c.load(ctx, l.Served[0], embeds(s.shown), wireKeepAlive(settingsOf(l).keepAlive)); err != nil {
		return old, fmt.Errorf("update %s: %w", old.Model, err)
	}
	old.Launch, old.LaunchDigest, old.Digest = l, l.Digest(), s.tag.Digest
	return old, nil
}

// updatable tells whether two launches differ in nothing but keep_alive and
// aliases.
func updatable(a, b engine.Launch) bool {
	if len(a.Served) == 0 || len(b.Served) == 0 || a.Served[0] != b.Served[0] {
		return false
	}
	strip := func(l engine.Launch) string {
		s := settingsOf(l)
		s.keepAlive = ""
		l.Settings, l.Served = s.encode(), l.Served[:1]
		return l.Digest()
	}
	return strip(a) == strip(b)
}

// rename makes the aliases that are new and deletes those that are no longer
// wanted and are ours.
func (c *client) rename(ctx context.Context, s sight, old engine.Instance, l engine.Launch) error {
	for _, alias := range l.Served[1:] {
		t := findTag(s.tags, alias)
		if t != nil && t.Digest == s.tag.Digest {
			continue
		}
		if t != nil {
			return fmt.Errorf("the name %s is taken by another model", alias)
		}
		if derived(old.Launch) && !s.ours(old.Token) {
			return errors.New("a model that was adopted gets no further names: use ollama cp")
		}
		if err := c.copy(ctx, l.Served[0], alias); err != nil {
			return fmt.Errorf("create alias %s: %w", alias, err)
		}
	}
	owned, err := c.owned(ctx, s.tags, old)
	if err != nil {
		return err
	}
	for _, name := range owned {
		if !slices.ContainsFunc(l.Served, func(n string) bool { return sameName(n, name) }) {
			if err := c.delete(ctx, name); err != nil {
				return err
			}
		}
	}
	return nil
}
