package apply

import (
	"context"
	"fmt"

	"github.com/loadoutdev/loadout/engine"
)

// settle looks at what an interrupted run may have started and the plan does not
// deal with. What is gone is closed in the journal. What is not gone, or cannot
// be looked at, keeps its model from being started a second time.
func (r *runner) settle(ctx context.Context, plan *engine.Plan, open []engine.Unfinished) {
	dealtWith := map[string]bool{}
	for i := range plan.Changes {
		c := &plan.Changes[i]
		if c.Running != nil {
			dealtWith[c.Running.Token] = true
		}
		for _, in := range c.Leftovers {
			dealtWith[in.Token] = true
		}
	}
	for _, u := range open {
		if u.Op != engine.OpStart || dealtWith[u.Instance.Token] {
			continue
		}
		state, detail := r.look(ctx, u.Instance)
		if state == engine.StateGone || state == engine.StateForeign { // nothing of it is ours
			_ = r.ledger.fail(r.ledger.Gone(u.Instance))
			continue
		}
		r.blocked[u.Model] = fmt.Sprintf("launch %s of an interrupted run is %s (pid %d%s) and the plan does not know it: plan again",
			u.Instance.ID, state, u.Instance.Pid, detail)
	}
}

func (r *runner) look(ctx context.Context, in engine.Instance) (engine.State, string) {
	p, err := r.provider(in.Backend)
	if err != nil {
		return engine.StateUnknown, ", " + err.Error()
	}
	live, err := p.Inspect(ctx, in, engine.InspectOptions{StateDir: r.Store.Dir()})
	if err != nil {
		return engine.StateUnknown, ", " + err.Error()
	}
	return live.State, ""
}
