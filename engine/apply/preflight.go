package apply

import (
	"context"

	"github.com/loadoutdev/loadout/engine"
)

// preflight asks for every start of a unit whether it can work at all, before
// anything is stopped for it. A start that cannot fails alone: nothing has
// changed, so the rest of its lane goes on. ok is false when the unit is over.
func (r *runner) preflight(ctx context.Context, jobs []*job) (ok bool) {
	ending := endings(jobs)
	for _, j := range jobs {
		err := r.canStart(ctx, j, ending)
		if err == nil {
			continue
		}
		r.fail(j, err, untouched(j.Change))
		r.giveUp(jobs, j.Model)
		return false
	}
	return true
}

func (r *runner) canStart(ctx context.Context, j *job, ending []engine.Instance) error {
	p, err := r.provider(j.Start.Backend)
	if err != nil {
		return err
	}
	f, able := p.(engine.Preflighter)
	if !able {
		return nil
	}
	return f.Preflight(ctx, *j.Start, ending, r.startOptions(j, engine.Instance{Model: j.Model}))
}

// endings are what the unit stops before it starts anything.
func endings(jobs []*job) []engine.Instance {
	var out []engine.Instance
	for _, j := range jobs {
		out = append(out, j.Leftovers...)
		if j.Running != nil {
			out = append(out, *j.Running)
		}
	}
	return out
}

// untouched says what a change that failed before its first step left.
func untouched(c *engine.Change) string {
	switch {
	case c.Interrupts:
		return "nothing was stopped: it still serves as before"
	case c.Running != nil:
		return "nothing was stopped"
	}
	return ""
}
