package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/loadoutdev/loadout/cmd/loadout/internal/view"
	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/apply"
	"github.com/loadoutdev/loadout/engine/store"
	"github.com/loadoutdev/loadout/providers"
)

func (c *cli) runApply(ctx context.Context, o *applyOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	if o.asks() {
		if err := c.needTerminal(o.verb()); err != nil {
			return err
		}
	}
	saved, err := o.readSaved(c)
	if err != nil {
		return err
	}
	w, err := c.aim(&o.vars, o.destroy) // mistakes are told before anybody waits
	if err != nil {
		return err
	}
	survivePipe()
	in, release := c.interrupts(ctx)
	defer release()
	st := store.Open(c.stateRoot(), w.Config.Workspace.Name)
	locked, err := o.lock(st, in)
	if err != nil {
		return err
	}
	defer locked.Close()
	// Another run may have ended meanwhile, and the files may be newer than it.
	c.workspace = st.Workspace()
	if w, err = c.aim(&o.vars, o.destroy); err != nil {
		return err
	}
	return c.applyLocked(o, w, &session{st, locked, in}, saved)
}

// lock takes the lock of the workspace, or says who holds it.
func (o *applyOptions) lock(st *store.Store, in *interrupts) (*store.Locked, error) {
	locked, err := st.Lock(in.early, store.Self("loadout "+o.verb(), time.Now()), o.lockTimeout)
	var held *store.HeldError
	switch {
	case errors.As(err, &held):
		return nil, &exit{exitLocked, err}
	case err != nil && in.early.Err() != nil:
		return nil, errInterrupted
	}
	return locked, err
}

// session is one apply that holds the lock.
type session struct {
	st     *store.Store
	locked *store.Locked
	in     *interrupts
}

// applyLocked plans under the lock, so that nothing can come between the plan
// that is shown and the one that is done.
func (c *cli) applyLocked(o *applyOptions, w *wanted, s *session, saved *engine.Plan) error {
	seen, err := c.look(s.in.early, w, s.st, true)
	if s.in.early.Err() != nil {
		return errInterrupted
	}
	if err != nil {
		return err
	}
	if err := o.checkAllowed(w, seen.snapshot); err != nil {
		return err
	}
	p := c.plan(w, seen, func(in *engine.PlanInput) { in.Destroy, in.AllowStop = o.destroy, o.allowStop })
	if err := o.compare(c, saved, p); err != nil {
		return err
	}
	if !c.json || blocked(w, p) != nil {
		// Nobody approves what could not be shown; what was approved does not
		// depend on who reads along.
		if err := c.showPlan(w, p, view.PlanOptions{Full: o.full, Destroy: o.destroy}); err != nil && o.asks() {
			return err
		}
	}
	if err := blocked(w, p); err != nil {
		return err
	}
	if p.Empty() {
		if c.json {
			return view.ApplyJSON(c.out, p, &apply.Result{Serial: p.Serial})
		}
		return nil
	}
	if o.asks() {
		if err := c.confirm(fmt.Sprintf("%s %s?", strings.ToUpper(o.verb()[:1])+o.verb()[1:], view.Count(p.Summary.Changes(), "change")), s.in.soft); err != nil {
			return err
		}
	}
	return c.carryOut(o, p, seen, s)
}

// carryOut runs the plan and says how it ended.
func (c *cli) carryOut(o *applyOptions, p *engine.Plan, seen *world, s *session) error {
	s.in.acting.Store(true)
	c.acted = true
	progress := view.NewProgress(c.errScreen(), p)
	var recorder apply.Recorder = s.locked
	if c.record != nil {
		recorder = c.record(recorder)
	}
	result, err := apply.Run(s.in.hard, p, apply.Options{
		Providers: providers.All(), Store: recorder, OnFailure: engine.OnFailure(o.onFailure),
		Soft: s.in.soft, Events: progress.Event, Devices: devices(seen.gpus), Measure: measure,
	})
	progress.Close()
	if result == nil {
		var stale *apply.StaleError
		if errors.As(err, &stale) {
			return &exit{exitStale, err}
		}
		return err
	}
	if err := c.showResult(p, result, s.st); err != nil { // what was done is done
		fmt.Fprintf(c.err, "The result could not be shown: %v\n", err)
	}
	return ending(result, err)
}

// ending is how a run ended, as an exit code.
func ending(result *apply.Result, err error) error {
	switch {
	case result.Interrupted:
		return &exit{exitInterrupted, err}
	case err != nil:
		return &exit{exitUnfinished, err}
	case !result.OK():
		return &exit{code: exitUnfinished}
	}
	return nil
}

func (c *cli) showResult(p *engine.Plan, result *apply.Result, st *store.Store) error {
	if c.json {
		return view.ApplyJSON(c.out, p, result)
	}
	return view.ApplyResult(c.screen(), p, result, st.Dir())
}
