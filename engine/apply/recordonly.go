package apply

import (
	"context"

	"github.com/loadoutdev/loadout/engine"
)

// recordAll does the changes that touch nothing but the record, and returns the
// others. They are one write of the snapshot, which happens or does not, so they
// need no announcement, and a thousand registered models cost what one does.
func (r *runner) recordAll(ctx context.Context, changes []engine.Change) (rest []engine.Change) {
	var only Unit
	for i := range changes {
		if recordOnly(&changes[i]) {
			only = append(only, &changes[i])
		} else {
			rest = append(rest, changes[i])
		}
	}
	if len(only) == 0 {
		return rest
	}
	if reason := r.halted(ctx); reason != "" {
		r.skip(only, reason)
		return rest
	}
	jobs := make([]*job, len(only))
	for i, c := range only {
		jobs[i] = r.newJob(c)
	}
	err := r.ledger.commit(func(s *engine.Snapshot) {
		for _, c := range only {
			recordOf(c)(s)
		}
	})
	for _, j := range jobs {
		switch {
		case err != nil:
			r.fail(j, err, "")
		case j.Running != nil:
			r.finish(j, Outcome{Status: Applied, Pid: j.Running.Pid, Log: j.Running.Log})
		default:
			r.finish(j, Outcome{Status: Applied})
		}
	}
	return rest
}

func recordOnly(c *engine.Change) bool {
	if len(c.Leftovers) > 0 {
		return false
	}
	switch c.Action {
	case engine.ActionUpdate:
		return !reloads(c)
	case engine.ActionCreate:
		return c.Start == nil && c.Desired != nil && !c.Desired.Served
	case engine.ActionForget:
		return c.Running == nil
	case engine.ActionRestart, engine.ActionReplace, engine.ActionStop, engine.ActionAdopt, engine.ActionNone:
	}
	return false
}

func recordOf(c *engine.Change) func(*engine.Snapshot) {
	if c.Action == engine.ActionForget {
		return gone(c)
	}
	return registered(c)
}
