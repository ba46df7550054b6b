package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/loadoutdev/loadout/cmd/loadout/internal/view"
	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/providers"
)

func newDrift(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "drift",
		Short: "Compare what runs with the snapshot: 0 clean, 2 drift, 1 error",
		Long: "Looks at every recorded instance: its process, its arguments, what it answers,\n" +
			"the files that it was started from. Does not read the configuration, so it says\n" +
			"what changed outside Loadout, whatever the files ask for by now.",
		Example: "  loadout drift -w rtx4080 --json",
		Args:    noArgument,
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.runDrift(cmd.Context()) },
	}
	c.jsonFlag(cmd)
	return cmd
}

func (c *cli) runDrift(ctx context.Context) error {
	st, err := c.openStore()
	if err != nil {
		return err
	}
	snap, unfinished, err := st.Read()
	if err != nil {
		return err
	}
	if snap == nil {
		return fmt.Errorf("workspace %q has no snapshot yet: nothing was applied, so nothing can drift", c.workspace)
	}
	live := engine.Observe(ctx, snap, unfinished, providers.All(), engine.InspectOptions{StateDir: st.Dir(), Generate: true})
	items, unknown := engine.Drift(snap, live)
	if c.json {
		if err := view.DriftJSON(c.out, snap.Workspace, items, unknown...); err != nil {
			return err
		}
	} else {
		next := "loadout plan -w " + shellWord(snap.Workspace)
		if err := view.Drift(c.screen(), snap.Workspace, items, len(snap.Instances), next, unknown...); err != nil {
			return err
		}
	}
	switch {
	case len(unknown) > 0:
		return fmt.Errorf("%s could not be looked at: %s", unknown[0].Model, unknown[0].Detail)
	case len(items) > 0:
		return &exit{code: exitDiffers}
	}
	return nil
}
