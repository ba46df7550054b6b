package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/loadoutdev/loadout/engine"
)

// undo puts the jobs of a unit back after failed could not be stopped or
// started: first what was started goes, so that its port is free, then what was
// stopped comes again.
func (r *runner) undo(ctx context.Context, jobs []*job, failed *job, cause error) {
	if failed.started != nil {
		// It runs and could not be recorded. The journal names it.
		r.fail(failed, cause, "it runs; the next plan will find it")
		r.giveUp(jobs, failed.Model)
		return
	}
	for _, j := range jobs {
		if j != failed && j.started != nil {
			r.takeDown(ctx, j)
		}
	}
	for _, j := range jobs {
		switch {
		case j == failed && (j.stuck || !j.stopped && j.previous == nil):
			r.fail(j, cause, "")
		case j == failed:
			r.putBack(ctx, j, cause)
		case j.stopped:
			r.putBack(ctx, j, nil)
		}
	}
	r.giveUp(jobs, failed.Model)
}

// takeDown stops what a unit has just started, because its unit failed.
func (r *runner) takeDown(ctx context.Context, j *job) {
	seq, err := r.stop(ctx, j, *j.started)
	if err != nil {
		return // it goes on running as the plan wanted, and is recorded
	}
	j.open = append(j.open, seq)
	j.started, j.stopped, j.finished = nil, true, false
}

// putBack starts the previous launch again. cause is nil when another change of
// the unit is at fault.
func (r *runner) putBack(ctx context.Context, j *job, cause error) {
	switch {
	case j.started != nil:
		return
	case ctx.Err() != nil:
		r.leave(j, cause, "left stopped: interrupted")
		return
	case j.previous == nil:
		r.leave(j, cause, "left stopped: there is nothing to put back")
		return
	case j.previous.missing != nil:
		r.leave(j, cause, "left stopped: "+j.previous.missing.Error())
		return
	}
	in, seq, err := r.start(ctx, j, j.previous.model, j.previous.launch, j.previous.environ)
	if err != nil {
		r.leave(j, errors.Join(cause, fmt.Errorf("put back: %w", err)), "left stopped: what ran before did not start again")
		return
	}
	if err := r.ledger.commit(reverted(j.Change, &in), append(j.open, seq)...); err != nil {
		r.fail(j, errors.Join(cause, err), "put back and running; the next plan will find it")
		return
	}
	r.finish(j, Outcome{Status: PutBack, Detail: r.asBefore(), Err: named(j, cause), Pid: in.Pid, Log: in.Log, Start: startError(cause)})
}

func (r *runner) asBefore() string {
	if r.prior == nil {
		return "as it was before"
	}
	return fmt.Sprintf("as in snapshot %d", r.prior.Serial)
}

// leave records that nothing of the model runs. The entry stays what it was,
// because the new one never came into effect: the next plan says again what is
// to change.
func (r *runner) leave(j *job, cause error, detail string) {
	if cause == nil {
		cause = errors.New("another model that exchanges ports with it failed")
	}
	if !j.stopped {
		r.fail(j, cause, "")
		return
	}
	if err := r.ledger.commit(reverted(j.Change, nil), j.open...); err != nil {
		cause = errors.Join(cause, err)
	}
	r.fail(j, cause, detail)
}

// fail ends a job with an error.
func (r *runner) fail(j *job, err error, detail string) {
	o := Outcome{Status: Failed, Detail: detail, Err: named(j, err), Start: startError(err)}
	if o.Start != nil {
		o.Log = o.Start.Log
	}
	r.finish(j, o)
}

// finish reports the outcome of a job, as a result and as its last event.
func (r *runner) finish(j *job, o Outcome) {
	j.finished = true
	o.Model, o.Action = j.Model, j.Action
	o.Seconds = r.Now().Sub(j.began).Seconds()
	r.report(o)
	switch o.Status {
	case Applied, Skipped:
		r.emit(j, Event{Kind: Done, Detail: o.Detail})
	case PutBack:
		r.emit(j, Event{Kind: WasPutBack, Detail: o.Detail})
	case Failed:
		r.emit(j, Event{Kind: ChangeFailed, Detail: o.Err.Error()})
	case NotStarted:
		r.emit(j, Event{Kind: ChangeFailed, Detail: o.Detail})
	}
}

func (r *runner) emit(j *job, e Event) {
	e.Model, e.Action, e.Expected = j.Model, j.Action, j.expected
	e.Seconds = r.Now().Sub(j.began).Seconds()
	r.events.emit(e)
}

func named(j *job, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("model %q: %w", j.Model, err)
}

func startError(err error) *engine.StartError {
	var e *engine.StartError
	if errors.As(err, &e) {
		return e
	}
	return nil
}
