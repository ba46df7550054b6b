package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/loadoutdev/loadout/cmd/loadout/internal/view"
	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/plainfile"
	"github.com/loadoutdev/loadout/engine/store"
	"github.com/loadoutdev/loadout/lang"
	"github.com/loadoutdev/loadout/providers"
	"github.com/loadoutdev/loadout/providers/artifact"
	"github.com/loadoutdev/loadout/providers/nvidia"
)

// varFlags are --var and --var-file, kept in the order in which they were given.
type varFlags struct{ values []lang.ValueArg }

func (v *varFlags) add(cmd *cobra.Command) {
	cmd.Flags().Var(varFlag{v, func(s string) lang.ValueArg { return lang.ValueArg{Assign: s} }}, "var", "set a variable: name=value (repeatable)")
	cmd.Flags().Var(varFlag{v, func(s string) lang.ValueArg { return lang.ValueArg{File: s} }}, "var-file", "read variables from a file (repeatable)")
}

// varFlag is one of the two; later values win over earlier ones of either.
type varFlag struct {
	all  *varFlags
	make func(string) lang.ValueArg
}

func (f varFlag) String() string { return "" }
func (f varFlag) Type() string   { return "string" }
func (f varFlag) Set(s string) error {
	f.all.values = append(f.all.values, f.make(s))
	return nil
}

// files is the configuration as read, with everything that was found wrong.
type files struct {
	*lang.Loaded
	diags hcl.Diagnostics
}

// wanted is the desired state: merged, checked and rendered.
type wanted struct {
	files
	models   []engine.Model
	launches map[string]*engine.Launch
	checks   []engine.CheckResult
	problems []engine.Problem
	facts    *engine.Discovered
}

// read loads the configuration files and nothing else.
func (c *cli) read(v *varFlags, needWorkspace bool) (files, error) {
	info, err := os.Stat(c.dir)
	if err != nil || !info.IsDir() {
		return files{}, fmt.Errorf("-C %s: not a directory", c.dir)
	}
	loaded, diags := lang.Load(lang.Options{
		Dir: c.dir, Workspace: c.workspace, NeedWorkspace: needWorkspace, Values: v.values, Environ: c.environ,
	})
	return files{loaded, diags}, nil
}

// desire loads, merges and checks. The error is for what makes going on
// pointless; mistakes in the files are in the diagnostics.
func (c *cli) desire(v *varFlags, needWorkspace bool) (*wanted, error) {
	f, err := c.read(v, needWorkspace)
	if err != nil {
		return nil, err
	}
	w := &wanted{files: f}
	if err := c.readFacts(w); err != nil {
		return nil, err
	}
	var problems, more []engine.Problem
	w.models, problems = engine.Desire(&f.Config, artifact.Index(w.facts))
	w.launches, more = engine.Render(w.models, providers.All(), f.Config.Workspace)
	more = append(more, engine.CheckBackends(f.Backends, providers.All())...)
	if f.diags.HasErrors() { // mistyped arguments are told together with the rest
		w.diags = append(w.diags, f.Diagnose(slices.DeleteFunc(more, func(p engine.Problem) bool { return !p.AboutArguments() }))...)
		return w, nil
	}
	w.problems = slices.Concat(w.unknownArtifacts(), problems, more)
	checks, diags := f.Checks(w.models)
	w.checks = checks
	w.diags = append(append(w.diags, f.Diagnose(w.problems)...), diags...)
	return w, nil
}

// aim is what a plan is made for: the desired state, without mistakes, or, to
// destroy, only the name of the workspace. Emptying a host must not depend on
// files that can be read.
func (c *cli) aim(v *varFlags, destroy bool) (*wanted, error) {
	if destroy {
		st, err := c.openStore()
		if err != nil {
			return nil, err
		}
		w := &wanted{files: files{Loaded: &lang.Loaded{}}}
		w.Config.Workspace.Name = st.Workspace()
		return w, nil
	}
	w, err := c.desire(v, true)
	if err != nil {
		return nil, err
	}
	if w.diags.HasErrors() {
		return nil, c.stop(&w.files)
	}
	return w, nil
}

// factsPath is discovered/<workspace>.json where there is one, for hosts whose
// disks differ, else discovered.json.
func (c *cli) factsPath(workspace string) string {
	own := filepath.Join("discovered", workspace+".json")
	if workspace != "" {
		if _, err := os.Stat(filepath.Join(c.dir, own)); err == nil {
			return own
		}
	}
	return "discovered.json"
}

func (c *cli) readFacts(w *wanted) error {
	path := c.factsPath(w.Config.Workspace.Name)
	b, err := plainfile.Read(filepath.Join(c.dir, path), plainfile.MaxRecord)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if w.facts, err = artifact.ReadFile(filepath.Join(c.dir, path)); err != nil {
		return err
	}
	sum := sha256.Sum256(b)
	w.Config.Inputs = append(w.Config.Inputs, engine.Input{Path: path, SHA256: hex.EncodeToString(sum[:])})
	slices.SortFunc(w.Config.Inputs, func(a, b engine.Input) int { return strings.Compare(a.Path, b.Path) })
	return nil
}

// unknownArtifacts warns, once for all of them, about served models of which
// nothing was discovered: their facts are missing from the plan.
func (w *wanted) unknownArtifacts() []engine.Problem {
	var names []string
	var first engine.Origin
	for i := range w.models {
		m := &w.models[i]
		if m.Served && m.Facts.Kind == "" {
			if len(names) == 0 {
				first = m.OriginOf("source")
			}
			names = append(names, m.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	shown := strings.Join(names[:min(3, len(names))], ", ")
	if n := len(names) - 3; n > 0 {
		shown += fmt.Sprintf(" and %d more", n)
	}
	return []engine.Problem{{
		Severity: engine.SeverityWarning, Code: "artifact_unknown", Origin: first,
		Summary: "nothing was discovered about " + shown,
		Detail:  "The plan goes on without facts (context length, size, completeness). Run loadout discover on the host that has the weights.",
	}}
}

// stop prints the diagnostics, which have an error among them, and ends the
// command.
func (c *cli) stop(w *files) error {
	if err := c.diagnose(w.diags, w.Files()); err != nil {
		return err
	}
	return &exit{code: exitError}
}

// diagnose prints diagnostics: text on standard error, or JSON on standard
// output.
func (c *cli) diagnose(diags hcl.Diagnostics, sources map[string]*hcl.File) error {
	if c.json {
		return view.DiagnosticsJSON(c.out, diags, sources)
	}
	return view.Diagnostics(c.errScreen(), diags, sources)
}

// report prints an error that a command returned: as JSON, if nothing was
// printed yet, else as text on standard error.
func (c *cli) report(err error) {
	if err == nil || err.Error() == "" {
		return
	}
	diags := hcl.Diagnostics{{Severity: hcl.DiagError, Summary: err.Error()}}
	if c.json && !c.stdout.begun && c.diagnose(diags, nil) == nil {
		return
	}
	_ = view.Diagnostics(c.errScreen(), diags, nil) // nobody is left to be told
}

// world is what was recorded and what is live.
type world struct {
	snapshot   *engine.Snapshot
	unfinished []engine.Unfinished
	live       *engine.Observed // nil: not looked at
	gpus       []engine.GPU
	problems   []engine.Problem
}

// look reads the snapshot and, if refresh, asks the providers and the GPUs.
func (c *cli) look(ctx context.Context, w *wanted, st *store.Store, refresh bool) (*world, error) {
	snap, unfinished, err := st.Read()
	if err != nil {
		return nil, err
	}
	seen := &world{snapshot: snap, unfinished: unfinished, gpus: w.Config.Workspace.GPUs}
	if !refresh {
		return seen, nil
	}
	seen.live = engine.Observe(ctx, snap, unfinished, providers.All(), engine.InspectOptions{StateDir: st.Dir(), Generate: true})
	seen.gpus, seen.problems = nvidia.Detect(ctx, w.Config.Workspace.GPUs)
	seen.problems = append(seen.problems, w.adoptions(ctx, snap, st.Dir())...)
	return seen, nil
}

// plan brings the two together.
func (c *cli) plan(w *wanted, seen *world, edit func(*engine.PlanInput)) *engine.Plan {
	ws := w.Config.Workspace
	ws.GPUs = seen.gpus
	in := engine.PlanInput{
		Workspace: ws, Desired: w.models, Launches: w.launches, Snapshot: seen.snapshot,
		Live: seen.live, Unfinished: seen.unfinished, Moves: w.Moves, Removals: w.Removals, Adoptions: w.Adoptions,
		Checks: w.checks, Inputs: w.Inputs, Problems: seen.problems, Providers: providers.All(),
	}
	if edit != nil {
		edit(&in)
	}
	p := engine.MakePlan(in)
	if seen.live != nil {
		p.Problems = append(p.Problems, missingWeights(p, w.facts)...)
	}
	w.diags = append(w.diags, w.Diagnose(p.Problems)...)
	return p
}
