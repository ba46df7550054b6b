package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
		Long: "Plans, shows the plan, asks, and does exactly that. With PLANFILE (from plan\n" +
			"--out) it does not ask: the plan was approved; it is refused when it is stale.\n\n" +
			"Interrupt once and the current step is finished and recorded; twice and it\n" +
			"stops at once, still recorded.\n\n" + exitTable,
		Example: "  loadout apply -w rtx4080\n  loadout apply --auto-approve --on-failure=leave\n  loadout apply plan.json",
		Args:    savedPlan("it applies the whole workspace"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.saved = args[0]
			}
			return c.runApply(cmd.Context(), &o)
		},
	}
	o.vars.add(cmd)
	o.addFlags(c, cmd)
	cmd.Flags().StringVar(&o.expect, "expect", "", "go on, unasked, if the plan has this digest")
	return cmd
}

func newDestroy(c *cli) *cobra.Command {
	o := applyOptions{destroy: true}
	cmd := &cobra.Command{
		Use:   "destroy",
		Short: "Stop everything of a workspace and forget it",
		Long: "Works from the snapshot alone: a host can be emptied although its files have\n" +
			"mistakes, or are gone.",
		Args: noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.runApply(cmd.Context(), &o) },
	}
	o.addFlags(c, cmd)
	return cmd
}

func (o *applyOptions) addFlags(c *cli, cmd *cobra.Command) {
	c.jsonFlag(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&o.autoApprove, "auto-approve", false, "do not ask")
	flags.StringVar(&o.onFailure, "on-failure", "", "restore or leave (default: what models say)")
	flags.StringArrayVar(&o.allowStop, "allow-stop", nil, "stop this model although it is protected")
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
		if err := c.confirm(fmt.Sprintf("%s %s?", strings.ToUpper(o.verb()[:1])+o.verb()[1:], count(p.Summary.Changes(), "change")), s.in.soft); err != nil {
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

// checkAllowed refuses names in --allow-stop that no model has: the one that was
// meant would stay protected.
func (o *applyOptions) checkAllowed(w *wanted, snap *engine.Snapshot) error {
	var known []string
	for i := range w.models {
		known = append(known, w.models[i].Name)
	}
	if snap != nil {
		for i := range snap.Models {
			known = append(known, snap.Models[i].Name)
		}
		for i := range snap.Instances {
			known = append(known, snap.Instances[i].Model)
		}
	}
	slices.Sort(known)
	known = slices.Compact(known)
	for _, name := range o.allowStop {
		if slices.Contains(known, name) {
			continue
		}
		if near := engine.Nearest(name, known); near != "" {
			return fmt.Errorf("--allow-stop %s: there is no such model; did you mean %q?", shellWord(name), near)
		}
		return fmt.Errorf("--allow-stop %s: there is no such model; known are: %s", shellWord(name), strings.Join(known, ", "))
	}
	return nil
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
