package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/loadoutdev/loadout/cmd/loadout/internal/view"
	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/store"
	"github.com/loadoutdev/loadout/providers"
)

func newShow(c *cli) *cobra.Command {
	var full bool
	cmd := &cobra.Command{
		Use:   "show [PLANFILE]",
		Short: "Show the snapshot of the last apply, or a saved plan",
		Long: "Without an argument: what the last apply recorded. With PLANFILE: the plan as it\n" +
			"was saved, without asking anybody whether it still holds.",
		Args: savedPlan("it shows what the last apply recorded"),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return c.showSaved(args[0], full)
			}
			return c.showSnapshot()
		},
	}
	c.jsonFlag(cmd)
	cmd.Flags().BoolVar(&full, "full", false, "of a plan: every field and every unchanged model")
	return cmd
}

func (c *cli) showSaved(path string, full bool) error {
	p, err := loadPlan(path)
	if err != nil {
		return err
	}
	if c.json {
		return view.PlanJSON(c.out, p, nil, nil)
	}
	return view.Plan(c.screen(), p, view.PlanOptions{Full: full, Next: "loadout apply " + shellWord(path)})
}

func (c *cli) showSnapshot() error {
	st, err := c.openStore()
	if err != nil {
		return err
	}
	snap, unfinished, err := st.Read()
	if err != nil {
		return err
	}
	if snap == nil {
		return fmt.Errorf("workspace %q has no snapshot yet: nothing was applied", c.workspace)
	}
	if c.json {
		return view.JSON(c.out, snap)
	}
	return view.Show(c.screen(), snap, unfinished)
}

func newList(c *cli) *cobra.Command {
	var role string
	var vars varFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the models: backend, state, port, GPU, roles",
		Long: "The models of the files and of the snapshot, with what their processes do now.\n" +
			"This is what a proxy reads: loadout list --json.",
		Args: noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.runList(cmd.Context(), role, &vars) },
	}
	vars.add(cmd)
	c.jsonFlag(cmd)
	cmd.Flags().StringVar(&role, "role", "", "only models with this role, highest priority first")
	return cmd
}

func (c *cli) runList(ctx context.Context, role string, vars *varFlags) error {
	if err := c.chooseWorkspace(); err != nil {
		return err
	}
	chosen := c.workspace
	if !c.declares(chosen) {
		c.workspace = "" // recorded only: its file is gone, its servers may not be
	}
	w, err := c.desire(vars, false)
	if err != nil {
		return err
	}
	if w.diags.HasErrors() {
		return c.stop(&w.files)
	}
	var snap *engine.Snapshot
	live := &engine.Observed{}
	if chosen != "" {
		st := store.Open(c.stateRoot(), chosen)
		if snap, _, err = st.Read(); err != nil {
			return err
		}
		live = engine.Observe(ctx, snap, nil, providers.All(), engine.InspectOptions{StateDir: st.Dir()})
	}
	rows := engine.List(w.models, snap, live, role)
	if c.json {
		return view.ListJSON(c.out, rows)
	}
	return view.List(c.screen(), rows)
}
