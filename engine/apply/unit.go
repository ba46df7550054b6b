package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

// job is a change under way.
type job struct {
	*engine.Change
	began    time.Time
	expected float64   // seconds that the last start took
	previous *previous // what can be put back; nil: nothing
	open     []int64   // effects done and not yet recorded
	stopped  bool      // what ran does not run any more
	stuck    bool      // what ran could not be stopped
	started  *engine.Instance
	finished bool
}

func (r *runner) newJob(c *engine.Change) *job {
	j := &job{Change: c, began: r.Now()}
	switch in := r.recorded(c); {
	case c.Start == nil: // nothing starts, so no start time is expected
	case c.Running != nil && c.Running.ReadySeconds > 0:
		j.expected = c.Running.ReadySeconds
	case in != nil:
		j.expected = in.ReadySeconds
	}
	r.emit(j, Event{Kind: Started})
	return j
}

// recorded is the instance that the snapshot had of the model when the run began.
func (r *runner) recorded(c *engine.Change) *engine.Instance {
	if c.From != "" {
		return r.prior.Instance(c.From)
	}
	return r.prior.Instance(c.Model)
}

// runUnit does a unit and returns the model that failed and ends its lane; empty
// when none did.
func (r *runner) runUnit(ctx context.Context, u Unit) (failed string) {
	jobs := make([]*job, len(u))
	for i, c := range u {
		jobs[i] = r.newJob(c)
	}
	for _, j := range jobs {
		if why := r.blocked[j.Model]; why != "" {
			r.fail(j, errors.New(why), "")
			r.giveUp(jobs, j.Model)
			return j.Model
		}
	}
	switch only := jobs[0]; {
	case starts(only.Action) && only.Start != nil:
		if r.preflight(ctx, jobs) {
			failed = r.exchange(ctx, jobs)
		}
	case only.Action == engine.ActionAdopt && only.Running != nil && only.Running.Token != "":
		failed = r.finishStart(ctx, only)
	default:
		failed = r.runSingle(ctx, only)
	}
	if failed != "" && ctx.Err() != nil {
		r.hold()
	}
	return failed
}

// runSingle does a change that starts nothing.
func (r *runner) runSingle(ctx context.Context, j *job) (failed string) {
	if j.Action == engine.ActionNone {
		r.finish(j, Outcome{Status: Skipped, Detail: firstDetail(j.Change)})
		return ""
	}
	in, err := r.effect(ctx, j)
	if err != nil {
		r.fail(j, err, "")
		return j.Model
	}
	o := Outcome{Status: Applied}
	if in != nil {
		o.Pid, o.Log = in.Pid, in.Log
	}
	r.finish(j, o)
	return ""
}

// effect does and records it; the instance is what runs then, where one does.
func (r *runner) effect(ctx context.Context, j *job) (*engine.Instance, error) {
	if starts(j.Action) && (j.Desired == nil || j.Desired.Served) {
		return nil, fmt.Errorf("the plan says %s and not what to start", j.Action)
	}
	switch j.Action {
	case engine.ActionForget:
		return nil, r.forget(j)
	case engine.ActionAdopt:
		return r.adopt(ctx, j)
	case engine.ActionUpdate:
		return r.update(ctx, j)
	case engine.ActionStop, engine.ActionCreate, engine.ActionRestart, engine.ActionReplace, engine.ActionNone:
	}
	return nil, r.stopOrRegister(ctx, j)
}

// exchange stops all, then starts all; if one fails, all are put back.
func (r *runner) exchange(ctx context.Context, jobs []*job) (failed string) {
	for _, j := range jobs {
		r.keep(ctx, j)
	}
	for _, j := range jobs {
		if err := r.clear(ctx, j); err != nil {
			j.stuck = true
			r.undo(ctx, jobs, j, err)
			return j.Model
		}
	}
	for _, j := range jobs {
		err := r.launch(ctx, j)
		if err == nil {
			continue
		}
		failed = j.Model
		if r.onFailure(j.Change) == engine.Restore || ctx.Err() != nil {
			r.undo(ctx, jobs, j, err)
			return failed
		}
		r.leave(j, err, "left stopped, as on_failure says")
	}
	return failed
}

// launch starts what the plan says and records it.
func (r *runner) launch(ctx context.Context, j *job) error {
	in, seq, err := r.start(ctx, j, j.Model, *j.Start, nil)
	if err != nil {
		return err
	}
	j.started = &in
	if err := r.ledger.commit(served(j.Change, in), append(j.open, seq)...); err != nil {
		return err
	}
	j.open = nil
	r.finish(j, Outcome{Status: Applied, Pid: in.Pid, Log: in.Log})
	return nil
}

// giveUp closes the jobs of a unit that were not reached.
func (r *runner) giveUp(jobs []*job, failed string) {
	for _, j := range jobs {
		if !j.finished {
			r.finish(j, Outcome{Status: NotStarted, Detail: "after the failure of " + failed})
		}
	}
}

func (r *runner) onFailure(c *engine.Change) engine.OnFailure {
	if r.OnFailure != "" {
		return r.OnFailure
	}
	if c.Desired != nil && c.Desired.Lifecycle.OnFailure != "" {
		return c.Desired.Lifecycle.OnFailure
	}
	return engine.Restore
}

func firstDetail(c *engine.Change) string {
	for _, reason := range c.Reasons {
		if reason.Detail != "" {
			return reason.Detail
		}
	}
	return ""
}
