package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

// How often an adopted instance that still starts is looked at.
const (
	pollFirst = 50 * time.Millisecond
	pollMost  = 2 * time.Second
)

// finishStart adopts a start of ours that an interrupted run left behind. If it
// does not become ready it is a start that failed like any other: it is ended,
// and what ran before is put back.
func (r *runner) finishStart(ctx context.Context, j *job) (failed string) {
	r.keep(ctx, j)
	in, err := r.adopt(ctx, j)
	if err == nil {
		r.finish(j, Outcome{Status: Applied, Pid: in.Pid, Log: in.Log})
		return ""
	}
	if ctx.Err() != nil || r.ledger.failure() != nil {
		r.fail(j, err, "it was left as it is; the next plan will find it")
		return j.Model
	}
	if stuck := r.clear(ctx, j); stuck != nil {
		r.fail(j, errors.Join(err, stuck), "")
		return j.Model
	}
	if j.previous != nil && r.onFailure(j.Change) == engine.Restore {
		r.putBack(ctx, j, err)
	} else {
		r.leave(j, err, "stopped")
	}
	return j.Model
}

// adopt records what runs already: a start that an interrupted run left behind,
// or, with an adopt block, what somebody else has started.
func (r *runner) adopt(ctx context.Context, j *job) (*engine.Instance, error) {
	if err := r.clearLeftovers(ctx, j); err != nil {
		return nil, err
	}
	in, err := r.adoptee(ctx, j)
	if err != nil {
		return nil, err
	}
	seq, err := r.ledger.announce(engine.OpAdopt, in)
	if err != nil {
		return nil, err
	}
	got, err := r.awaitReady(ctx, j, in)
	if err != nil {
		r.ledger.failed(seq, err)
		return nil, fmt.Errorf("adopt: %w", err)
	}
	return &got, r.ledger.commit(served(j.Change, got), append(j.open, seq)...)
}

// adoptee says what is to be adopted. Taking over a stranger changes nothing in
// the world, so it needs no announcement.
func (r *runner) adoptee(ctx context.Context, j *job) (engine.Instance, error) {
	if j.Running != nil {
		in := *j.Running
		in.Model = j.Model
		return in, nil
	}
	if j.Adopt == nil || j.Start == nil {
		return engine.Instance{}, fmt.Errorf("the plan says %s and not what", j.Action)
	}
	p, err := r.provider(j.Start.Backend)
	if err != nil {
		return engine.Instance{}, err
	}
	a, ok := p.(engine.Adopter)
	if !ok {
		return engine.Instance{}, fmt.Errorf("backend %q cannot adopt what it did not start", j.Start.Backend)
	}
	in, err := a.Adopt(ctx, *j.Start, j.Adopt.Pid, engine.InspectOptions{StateDir: r.Store.Dir()})
	if err != nil {
		return engine.Instance{}, fmt.Errorf("adopt: %w", err)
	}
	in.Model, in.Backend, in.Adopted = j.Model, j.Start.Backend, true
	return in, nil
}

// awaitReady looks at an instance until it serves, is known not to come, or its
// start has taken too long.
func (r *runner) awaitReady(ctx context.Context, j *job, in engine.Instance) (engine.Instance, error) {
	p, err := r.provider(in.Backend)
	if err != nil {
		return in, err
	}
	life := lifecycle(j.Change)
	limited, cancel := context.WithTimeout(ctx, life.StartTimeout)
	defer cancel()
	opt := engine.InspectOptions{StateDir: r.Store.Dir(), Generate: life.Probe == engine.ProbeGenerate}
	waited := false
	for pause := pollFirst; ; pause = min(2*pause, pollMost) {
		live, err := p.Inspect(limited, in, opt)
		switch {
		case err != nil && limited.Err() == nil:
			return in, err
		case err == nil && live.State == engine.StateReady:
			return r.adopted(live.Instance, in, waited), nil
		case err == nil && hopeless(live.State):
			return in, fmt.Errorf("it is %s: %s", live.State, live.Detail)
		}
		waited = true
		r.emit(j, Event{Kind: Progressing, Progress: engine.Progress{Phase: string(live.State), Fraction: -1}})
		select {
		case <-time.After(pause):
		case <-limited.Done():
			if ctx.Err() != nil {
				return in, ctx.Err()
			}
			return in, fmt.Errorf("not ready after %s (%s)", life.StartTimeout, live.Detail)
		}
	}
}

func hopeless(s engine.State) bool {
	return s == engine.StateGone || s == engine.StateWrong || s == engine.StateOrphan || s == engine.StateForeign
}

// adopted is the instance as found; how long it took is known only when we saw
// it become ready.
func (r *runner) adopted(found, in engine.Instance, waited bool) engine.Instance {
	found.Model, found.Backend, found.Adopted = in.Model, in.Backend, in.Adopted
	found.Launch, found.LaunchDigest = in.Launch, in.LaunchDigest
	if found.ReadySeconds == 0 && waited && !in.StartedAt.IsZero() {
		found.ReadySeconds = r.Now().Sub(in.StartedAt).Seconds()
	}
	return found
}
