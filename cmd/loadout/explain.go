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

func newExplain(c *cli) *cobra.Command {
	var live bool
	var vars varFlags
	cmd := &cobra.Command{
		Use:   "explain MODEL [FIELD]",
		Short: "Say where every value comes from and what it overrode",
		Long: "For each field of a model: the value, the layer and the file:line that won, what\n" +
			"it overrode, what the last apply recorded and, with --live, what the running\n" +
			"process really has, read from its command line and its answers.",
		Example: "  loadout explain tiny-llama\n  loadout explain tiny-llama args --live\n  loadout explain tiny-llama args.max_model_len --json",
		Args:    oneModel(1, "it takes a MODEL and a FIELD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.runExplain(cmd.Context(), append(args, "")[:2], live, &vars)
		},
	}
	vars.add(cmd)
	c.jsonFlag(cmd)
	cmd.Flags().BoolVar(&live, "live", false, "ask the running process too")
	return cmd
}

func (c *cli) runExplain(ctx context.Context, args []string, withLive bool, vars *varFlags) error {
	if withLive {
		if err := c.chooseWorkspace(); err != nil {
			return err
		}
	}
	w, err := c.desire(vars, false)
	if err != nil {
		return err
	}
	if len(w.models) == 0 && w.diags.HasErrors() {
		return c.stop(&w.files)
	}
	var st *store.Store
	var snap *engine.Snapshot
	if name := w.Config.Workspace.Name; name != "" {
		st = store.Open(c.stateRoot(), name)
		if snap, _, err = st.Read(); err != nil {
			return err
		}
	}
	m, err := findModel(w.models, snap, args[0])
	if err != nil {
		return err
	}
	var seen *engine.Live
	note := ""
	if withLive && st != nil {
		seen, note = inspectOne(ctx, snap.Instance(m.Name), st)
	}
	x := engine.Explain(m, snap.Entry(m.Name), seen, args[1])
	x.Live = withLive
	if x.Note == "" {
		x.Note = note
	}
	if len(x.Fields) == 0 {
		return fmt.Errorf("model %q has no field %q%s", m.Name, args[1], didYouMeanField(m, args[1]))
	}
	if c.json {
		return view.ExplainJSON(c.out, x)
	}
	return view.Explain(c.screen(), x)
}

// inspectOne looks at one recorded instance.
func inspectOne(ctx context.Context, in *engine.Instance, st *store.Store) (*engine.Live, string) {
	if in == nil {
		return nil, "not running: nothing is recorded"
	}
	snap := &engine.Snapshot{Instances: []engine.Instance{*in}}
	o := engine.Observe(ctx, snap, nil, providers.All(), engine.InspectOptions{StateDir: st.Dir()})
	live := o.Recorded[in.Model]
	return &live, ""
}

// findModel finds a model by name, served name or alias. One that no file
// declares any more is found by its name, without declared values.
func findModel(models []engine.Model, snap *engine.Snapshot, name string) (*engine.Model, error) {
	names := make([]string, len(models))
	for i := range models {
		m := &models[i]
		if m.Name == name {
			return m, nil
		}
		names[i] = m.Name
	}
	for i := range models {
		m := &models[i]
		for _, n := range append([]string{m.ServedName}, m.Aliases...) {
			if n == name {
				return m, nil
			}
		}
	}
	if snap.Entry(name) != nil {
		return &engine.Model{Name: name}, nil
	}
	hint := "see loadout list"
	if near := engine.Nearest(name, names); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return nil, fmt.Errorf("no model is called %q: %s", name, hint)
}

func didYouMeanField(m *engine.Model, typed string) string {
	var paths []string
	for _, l := range m.Leaves {
		paths = append(paths, l.Path, engine.Root(l.Path))
	}
	if near := engine.Nearest(typed, paths); near != "" {
		return fmt.Sprintf(": did you mean %q?", near)
	}
	return ""
}
