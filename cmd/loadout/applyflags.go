package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/loadoutdev/loadout/engine"
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
