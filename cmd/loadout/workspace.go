package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/store"
	"github.com/loadoutdev/loadout/lang"
)

// openStore finds the state of the workspace for commands that need no file:
// -w, or the only one that is declared or recorded.
func (c *cli) openStore() (*store.Store, error) {
	if err := c.chooseWorkspace(); err != nil {
		return nil, err
	}
	if c.workspace == "" {
		return nil, fmt.Errorf("there is no workspace in %s: -C names the directory of the configuration", shellWord(c.dir))
	}
	return store.Open(c.stateRoot(), c.workspace), nil
}

// chooseWorkspace settles which workspace is meant: -w, which must exist, or the
// only one. Without any it stays empty; with several somebody must choose.
func (c *cli) chooseWorkspace() error {
	recorded, err := store.Workspaces(c.stateRoot())
	if err != nil {
		return err
	}
	declared, err := lang.Workspaces(c.dir)
	if err != nil && len(recorded) == 0 {
		return err
	}
	known := slices.Compact(slices.Sorted(slices.Values(slices.Concat(recorded, declared))))
	switch {
	case c.workspace != "" && !slices.Contains(known, c.workspace):
		return noWorkspace(c.workspace, known)
	case c.workspace != "" || len(known) == 0:
	case len(known) == 1:
		c.workspace = known[0]
	default:
		return fmt.Errorf("there are several workspaces here: choose one with -w (%s)", strings.Join(known, ", "))
	}
	return nil
}

func noWorkspace(name string, known []string) error {
	if near := engine.Nearest(name, known); near != "" {
		return fmt.Errorf("there is no workspace %q here: did you mean %q?", name, near)
	}
	if len(known) == 0 {
		return fmt.Errorf("there is no workspace %q here, nor any other", name)
	}
	return fmt.Errorf("there is no workspace %q here; known are: %s", name, strings.Join(known, ", "))
}

// declares tells whether a file declares the workspace.
func (c *cli) declares(workspace string) bool {
	declared, _ := lang.Workspaces(c.dir) // what is wrong with the files is found when they are read
	return slices.Contains(declared, workspace)
}
