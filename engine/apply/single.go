package apply

import (
	"context"
	"fmt"

	"github.com/loadoutdev/loadout/engine"
)

// stopOrRegister ends what runs of a model that is not (any more) to be served,
// and records it as registered, or not at all.
func (r *runner) stopOrRegister(ctx context.Context, j *job) error {
	if err := r.clear(ctx, j); err != nil {
		return err
	}
	if j.Desired == nil {
		return r.ledger.commit(gone(j.Change), j.open...)
	}
	if len(j.open) == 0 {
		return r.enter(j)
	}
	return r.ledger.commit(registered(j.Change), j.open...)
}

// enter records a model; nothing but the record changes.
func (r *runner) enter(j *job) error {
	seq, err := r.ledger.announce(engine.OpUpdate, engine.Instance{Model: j.Model})
	if err != nil {
		return err
	}
	return r.ledger.commit(registered(j.Change), seq)
}

// forget drops the record and touches nothing that runs.
func (r *runner) forget(j *job) error {
	left := append([]engine.Instance{}, j.Leftovers...)
	if j.Running != nil {
		left = append(left, *j.Running)
	}
	if len(left) == 0 {
		left = append(left, engine.Instance{Model: j.Model})
	}
	for _, in := range left {
		seq, err := r.ledger.announce(engine.OpForget, in)
		if err != nil {
			return err
		}
		j.open = append(j.open, seq)
	}
	return r.ledger.commit(gone(j.Change), j.open...)
}

// update changes the record and, where a field needs it, tells the running
// instance.
func (r *runner) update(ctx context.Context, j *job) (*engine.Instance, error) {
	if err := r.clearLeftovers(ctx, j); err != nil {
		return nil, err
	}
	if !reloads(j.Change) {
		return j.Running, r.enter(j)
	}
	p, err := r.provider(j.Start.Backend)
	if err != nil {
		return nil, err
	}
	u, ok := p.(engine.Updater)
	if !ok {
		return nil, fmt.Errorf("backend %q cannot change a model while it runs", j.Start.Backend)
	}
	next := *j.Running
	next.Model, next.Launch, next.LaunchDigest = j.Model, *j.Start, j.Start.Digest()
	seq, err := r.ledger.announce(engine.OpUpdate, next)
	if err != nil {
		return nil, err
	}
	got, err := u.Update(ctx, *j.Running, *j.Start, r.startOptions(j, next))
	if err != nil {
		r.ledger.failed(seq, err)
		return nil, fmt.Errorf("update: %w", err)
	}
	got = complete(got, next)
	return &got, r.ledger.commit(served(j.Change, got), append(j.open, seq)...)
}
