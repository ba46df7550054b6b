package apply

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/store"
)

func (r *runner) provider(backend string) (engine.Provider, error) {
	p := r.Providers[backend]
	if p == nil {
		return nil, fmt.Errorf("no backend is called %q", backend)
	}
	return p, nil
}

// start announces a launch and starts it. The effect stays open: the caller
// records the instance and closes it.
// environ is that of the host for it; nil: that of Loadout.
func (r *runner) start(ctx context.Context, j *job, model string, l engine.Launch, environ []string) (engine.Instance, int64, error) {
	if err := ctx.Err(); err != nil {
		return engine.Instance{}, 0, err
	}
	p, err := r.provider(l.Backend)
	if err != nil {
		return engine.Instance{}, 0, err
	}
	in, err := r.identify(model, l)
	if err != nil {
		return engine.Instance{}, 0, err
	}
	seq, err := r.ledger.announce(engine.OpStart, in)
	if err != nil {
		return engine.Instance{}, 0, err
	}
	began := r.Now()
	opt := r.startOptions(j, in)
	opt.Environ = environ
	opt.Started = func(got engine.Instance) error { return r.ledger.note(seq, complete(got, in)) }
	got, err := p.Start(ctx, l, opt)
	if err != nil {
		r.ledger.failed(seq, err)
		return engine.Instance{}, 0, fmt.Errorf("start: %w", err)
	}
	got = complete(got, in)
	if got.ReadySeconds == 0 {
		got.ReadySeconds = r.Now().Sub(began).Seconds()
	}
	if got.MemoryBytes == 0 && r.Measure != nil {
		got.MemoryBytes = r.Measure(ctx, got)
	}
	return got, seq, nil
}

// identify gives a launch the number and the token by which it is known from
// now on.
func (r *runner) identify(model string, l engine.Launch) (engine.Instance, error) {
	id, err := r.ledger.NextLaunch(model)
	if err != nil {
		return engine.Instance{}, r.ledger.fail(err)
	}
	token := newToken()
	return engine.Instance{
		Model: model, Backend: l.Backend, ID: id, Token: token, Launch: l, LaunchDigest: l.Digest(),
		Log: store.LogPath(model, id), Dir: store.LaunchDir(token), StartedAt: r.Now().UTC(),
	}, nil
}

func (r *runner) startOptions(j *job, in engine.Instance) engine.StartOptions {
	life := lifecycle(j.Change)
	return engine.StartOptions{
		Model: in.Model, ID: in.ID, Token: in.Token, StateDir: r.Store.Dir(), LogPath: in.Log, Dir: in.Dir,
		Devices: r.Devices, Timeout: life.StartTimeout, Stop: life.StopTimeout, Probe: life.Probe,
		Expect:   time.Duration(j.expected * float64(time.Second)),
		Progress: func(p engine.Progress) { r.emit(j, Event{Kind: Progressing, Progress: p}) },
	}
}

// complete puts what was announced into what the provider gave back. Log and Dir
// are the provider's: a model inside a service has none.
func complete(got, announced engine.Instance) engine.Instance {
	got.Model, got.Backend = announced.Model, announced.Backend
	got.ID, got.Token = announced.ID, announced.Token
	got.Launch, got.LaunchDigest = announced.Launch, announced.LaunchDigest
	if got.StartedAt.IsZero() {
		got.StartedAt = announced.StartedAt
	}
	return got
}

// stop announces the end of an instance and ends it. The effect stays open.
func (r *runner) stop(ctx context.Context, j *job, in engine.Instance) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	p, err := r.provider(in.Backend)
	if err != nil {
		return 0, err
	}
	seq, err := r.ledger.announce(engine.OpStop, in)
	if err != nil {
		return 0, err
	}
	err = p.Stop(ctx, in, engine.StopOptions{
		StateDir: r.Store.Dir(), Timeout: lifecycle(j.Change).StopTimeout,
		Progress: func(p engine.Progress) { r.emit(j, Event{Kind: Progressing, Progress: p}) },
	})
	if err == nil {
		return seq, nil
	}
	r.ledger.failed(seq, err)
	if errors.Is(err, engine.ErrForeign) && in.Pid != 0 {
		return 0, fmt.Errorf("stop: pid %d is not what Loadout started, so nothing was sent to it; "+
			"find out whose it is and plan again: %w", in.Pid, err)
	}
	return 0, fmt.Errorf("stop: %w", err)
}

// clear ends all that runs of the model now.
func (r *runner) clear(ctx context.Context, j *job) error {
	if err := r.clearLeftovers(ctx, j); err != nil || j.Running == nil {
		return err
	}
	seq, err := r.stop(ctx, j, *j.Running)
	if err != nil {
		return err
	}
	j.open = append(j.open, seq)
	j.stopped = true
	return nil
}

// clearLeftovers ends the further starts of an interrupted run. They are not in
// the snapshot, so nothing has to be recorded.
func (r *runner) clearLeftovers(ctx context.Context, j *job) error {
	for _, in := range j.Leftovers {
		seq, err := r.stop(ctx, j, in)
		if err != nil {
			return err
		}
		if err := r.ledger.fail(r.ledger.Result(seq, nil)); err != nil {
			return err
		}
	}
	return nil
}

// newToken is 128 random bits in hex.
func newToken() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// lifecycle is that of the desired model; of one that goes, what was recorded.
func lifecycle(c *engine.Change) engine.Lifecycle {
	life := engine.Lifecycle{}
	if c.Desired != nil {
		life = c.Desired.Lifecycle
	} else if text, ok := c.Previous.Lookup("lifecycle", "stop_timeout").(string); ok {
		life.StopTimeout, _ = time.ParseDuration(text) // checked when it was declared
	}
	if life.StartTimeout == 0 {
		life.StartTimeout = engine.DefaultStartTimeout
	}
	if life.StopTimeout == 0 {
		life.StopTimeout = engine.DefaultStopTimeout
	}
	if life.Probe == "" {
		life.Probe = engine.ProbeGenerate
	}
	return life
}
