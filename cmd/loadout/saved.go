package main

import (
	"fmt"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/plainfile"
)

// savePlan writes the plan for apply FILE, readable by its owner only.
func savePlan(path string, p *engine.Plan) error {
	if err := renameio.WriteFile(path, append(engine.CanonicalJSON(p), '\n'), 0o600, renameio.IgnoreUmask()); err != nil {
		return fmt.Errorf("save the plan: %w", err)
	}
	return nil
}

// loadPlan reads a saved plan.
func loadPlan(path string) (*engine.Plan, error) {
	b, err := plainfile.Read(path, plainfile.MaxRecord)
	if err != nil {
		return nil, fmt.Errorf("saved plan: %w", err)
	}
	p, err := engine.DecodePlan(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
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
