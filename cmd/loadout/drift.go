package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/loadoutdev/loadout/cmd/loadout/internal/view"
	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/store"
	"github.com/loadoutdev/loadout/lang"
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
		Args:    cobra.NoArgs,
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

// openStore finds the state of the workspace for commands that do not read the
// configuration: -w, or the only one there is.
func (c *cli) openStore() (*store.Store, error) {
	recorded, err := store.Workspaces(c.stateRoot())
	if err != nil {
		return nil, err
	}
	declared, err := lang.Workspaces(c.dir)
	if err != nil && len(recorded) == 0 {
		return nil, err
	}
	known := slices.Compact(slices.Sorted(slices.Values(slices.Concat(recorded, declared))))
	switch {
	case c.workspace != "" && !slices.Contains(known, c.workspace):
		return nil, noWorkspace(c.workspace, known)
	case c.workspace != "":
	case len(recorded) == 1:
		c.workspace = recorded[0]
	case len(known) == 1:
		c.workspace = known[0]
	case len(known) == 0:
		return nil, fmt.Errorf("there is no workspace in %s: -C names the directory of the configuration", shellWord(c.dir))
	default:
		return nil, fmt.Errorf("there are several workspaces here: choose one with -w (%s)", strings.Join(known, ", "))
	}
	return store.Open(c.stateRoot(), c.workspace), nil
}

func noWorkspace(name string, known []string) error {
	if near := engine.Nearest(name, known); near != "" {
		return fmt.Errorf("there is no workspace %q here: did you mean %q?", name, near)
	}
	return fmt.Errorf("there is no workspace %q here; known are: %s", name, strings.Join(known, ", "))
}
