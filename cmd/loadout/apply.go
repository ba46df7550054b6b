package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/loadoutdev/loadout/cmd/loadout/internal/view"
	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/apply"
	"github.com/loadoutdev/loadout/engine/store"
	"github.com/loadoutdev/loadout/providers"
)

type applyOptions struct {
	vars        varFlags
	saved       string // plan file
	expect      string
	autoApprove bool
	onFailure   string
	allowStop   []string
	lockTimeout time.Duration
	destroy     bool
	full        bool
}

func newApply(c *cli) *cobra.Command {
	var o applyOptions
	cmd := &cobra.Command{
		Use:   "apply [PLANFILE]",
		Short: "Bring what runs into line with the files",
		Long: "Plans, shows the plan, asks, and does exactly that. With PLANFILE (from plan --out)\n" +
			"it does not ask: the plan was approved; it is refused when it is stale.\n\n" +
			"Interrupt once and the current step is finished and recorded; twice and it\n" +
			"stops at once, still recorded.\n\n" + exitTable,
		Example: "  loadout apply -w rtx4080\n  loadout apply --auto-approve --on-failure=leave\n  loadout apply plan.json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.saved = args[0]
			}
			return c.runApply(cmd.Context(), &o)
		},
	}
	o.vars.add(cmd)
	o.addFlags(c, cmd)
	cmd.Flags().StringVar(&o.expect, "expect", "", "go on only if the plan has this digest (no question then)")
	return cmd
}

func newDestroy(c *cli) *cobra.Command {
	o := applyOptions{destroy: true}
	cmd := &cobra.Command{
		Use:   "destroy",
		Short: "Stop everything of a workspace and forget it",
		Long: "Works from the snapshot alone: a host can be emptied although its files have\n" +
			"mistakes, or are gone.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.runApply(cmd.Context(), &o) },
	}
	o.addFlags(c, cmd)
	return cmd
}

func (o *applyOptions) addFlags(c *cli, cmd *cobra.Command) {
	c.jsonFlag(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&o.autoApprove, "auto-approve", false, "do not ask")
	flags.StringVar(&o.onFailure, "on-failure", "", "restore or leave, for all models (default: each model's lifecycle)")
	flags.StringArrayVar(&o.allowStop, "allow-stop", nil, "stop this model although it is protected (repeatable)")
	flags.DurationVar(&o.lockTimeout, "lock-timeout", 0, "wait this long for another run to end")
	flags.BoolVar(&o.full, "full", false, "show every field and every unchanged model")
}

func (o *applyOptions) check() error {
	switch engine.OnFailure(o.onFailure) {
	case "", engine.Restore, engine.Leave:
		return nil
	}
	return fmt.Errorf("--on-failure=%s: must be restore or leave", o.onFailure)
}

// asks tells whether a person must say yes.
func (o *applyOptions) asks() bool { return !o.autoApprove && o.saved == "" && o.expect == "" }

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
	w, err := c.aim(&o.vars, o.destroy)
	if err != nil {
		return err
	}
	st := store.Open(c.stateRoot(), w.Config.Workspace.Name)
	locked, err := st.Lock(ctx, store.Self("loadout "+o.verb(), time.Now()), o.lockTimeout)
	if err != nil {
		var held *store.HeldError
		if errors.As(err, &held) {
			return &exit{exitLocked, err}
		}
		return err
	}
	defer locked.Close()
	return c.applyLocked(ctx, o, w, st, locked, saved)
}

// applyLocked plans under the lock, so that nothing can come between the plan
// that is shown and the one that is done.
func (c *cli) applyLocked(ctx context.Context, o *applyOptions, w *wanted, st *store.Store, locked *store.Locked, saved *engine.Plan) error {
	seen, err := c.look(ctx, w, st, true)
	if err != nil {
		return err
	}
	p := c.plan(w, seen, func(in *engine.PlanInput) { in.Destroy, in.AllowStop = o.destroy, o.allowStop })
	if err := o.compare(c, saved, p); err != nil {
		return err
	}
	if !c.json || blocked(w, p) != nil {
		if err := c.showPlan(w, p, view.PlanOptions{Full: o.full, Destroy: o.destroy}); err != nil {
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
		if err := c.confirm(fmt.Sprintf("%s %s?", strings.ToUpper(o.verb()[:1])+o.verb()[1:], count(p.Summary.Changes(), "change"))); err != nil {
			return err
		}
	}
	return c.carryOut(ctx, o, p, seen, locked, st)
}

// carryOut runs the plan and says how it ended.
func (c *cli) carryOut(ctx context.Context, o *applyOptions, p *engine.Plan, seen *world, locked *store.Locked, st *store.Store) error {
	ctx, soft, release := c.interrupts(ctx)
	defer release()
	progress := view.NewProgress(c.errScreen(), p)
	var recorder apply.Recorder = locked
	if c.record != nil {
		recorder = c.record(recorder)
	}
	result, err := apply.Run(ctx, p, apply.Options{
		Providers: providers.All(), Store: recorder, OnFailure: engine.OnFailure(o.onFailure),
		Soft: soft, Events: progress.Event, Devices: devices(seen.gpus), Measure: measure,
	})
	progress.Close()
	if result == nil {
		var stale *apply.StaleError
		if errors.As(err, &stale) {
			return &exit{exitStale, err}
		}
		return err
	}
	if err := c.showResult(p, result, st); err != nil {
		return err
	}
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

func (o *applyOptions) verb() string {
	if o.destroy {
		return "destroy"
	}
	return "apply"
}

func (o *applyOptions) readSaved(c *cli) (*engine.Plan, error) {
	if o.saved == "" {
		return nil, nil
	}
	p, err := loadPlan(o.saved)
	if err != nil {
		return nil, err
	}
	if c.workspace == "" {
		c.workspace = p.Workspace
	}
	o.destroy = p.Destroy
	return p, nil
}

// compare refuses what was not approved.
func (o *applyOptions) compare(c *cli, saved, p *engine.Plan) error {
	if o.expect != "" && !strings.HasPrefix(p.Digest, o.expect) || o.expect != "" && len(o.expect) < 8 {
		return &exit{exitStale, fmt.Errorf("the plan is %s now, not %s as expected: look at loadout plan again", p.Digest, o.expect)}
	}
	if saved == nil {
		return nil
	}
	s := engine.CompareSaved(saved, p)
	moved := ""
	if len(s.Inputs) > 0 {
		moved = strings.Join(s.Inputs, ", ")
	}
	switch {
	case s.Snapshot != "":
		return &exit{exitStale, fmt.Errorf("the saved plan is stale: %s. Plan again and have it approved", s.Snapshot)}
	case s.Difference != "" && moved != "":
		return &exit{exitStale, fmt.Errorf("the saved plan is stale: %s changed since, and with it what would be done: %s. Plan again and have it approved", moved, s.Difference)}
	case s.Difference != "":
		return &exit{exitStale, fmt.Errorf("the saved plan is stale: the files are the same, the world is not: %s. Plan again and have it approved", s.Difference)}
	case moved != "":
		fmt.Fprintf(c.err, "Note: %s changed since the plan was saved; what would be done is the same.\n", moved)
	}
	return nil
}
