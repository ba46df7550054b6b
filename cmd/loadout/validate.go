package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/loadoutdev/loadout/cmd/loadout/internal/view"
	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/lang"
)

func newValidate(c *cli) *cobra.Command {
	var vars varFlags
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check the files: syntax, names, types, arguments, checks",
		Long:  "Reads the files and reports every mistake at once. Needs no GPU, no snapshot and\nno running server. Without -w every workspace is checked.",
		Args:  wholeDirectory,
		RunE:  func(_ *cobra.Command, _ []string) error { return c.runValidate(&vars) },
	}
	vars.add(cmd)
	c.jsonFlag(cmd)
	return cmd
}

func (c *cli) runValidate(vars *varFlags) error {
	workspaces := []string{c.workspace}
	if c.workspace == "" {
		names, err := lang.Workspaces(c.dir)
		if err != nil {
			return err
		}
		if len(names) > 0 {
			workspaces = names
		}
	}
	v := validation{sources: map[string]*hcl.File{}}
	for _, name := range workspaces {
		c.workspace = name
		w, err := c.desire(vars, false)
		if err != nil {
			return err
		}
		v.add(w)
	}
	if err := c.diagnose(v.diags, v.sources); err != nil {
		return err
	}
	switch {
	case v.wrong:
		return &exit{code: exitError}
	case v.diags.HasErrors(): // of checks only
		return &exit{code: exitGuard}
	case !c.json:
		fmt.Fprintf(c.out, "Valid: %s in %s, %s.\n", view.Count(v.models, "model"), view.Count(len(v.sources), "file"), c.served(workspaces))
	}
	return nil
}

// served names the workspaces that were checked.
func (c *cli) served(workspaces []string) string {
	if workspaces[0] == "" {
		return "no workspace yet: nothing is served (workspaces/NAME.hcl)"
	}
	return view.Count(len(workspaces), "workspace")
}

// validation is what was found in all workspaces together. What lies outside
// them is found in each, and told once.
type validation struct {
	diags   hcl.Diagnostics
	sources map[string]*hcl.File
	models  int
	wrong   bool // a mistake, not only a failed check
}

func (v *validation) add(w *wanted) {
	found := w.diags
	if found.HasErrors() {
		v.wrong = true
	} else {
		found = append(found, w.failedChecks()...)
	}
	for _, d := range found {
		if !slices.ContainsFunc(v.diags, func(o *hcl.Diagnostic) bool { return sameDiagnostic(o, d) }) {
			v.diags = append(v.diags, d)
		}
	}
	maps.Copy(v.sources, w.Files())
	v.models = max(v.models, len(w.models))
}

// failedChecks are the failed checks as diagnostics; a plan shows them as its
// own section.
func (w *wanted) failedChecks() hcl.Diagnostics {
	var failed []engine.Problem
	for _, check := range w.checks {
		if !check.Passed {
			failed = append(failed, engine.Problem{
				Severity: check.Severity, Code: "check_failed", Origin: check.Origin,
				Summary: check.Message, Detail: fmt.Sprintf("The check %q does not hold.", check.Name),
			})
		}
	}
	return w.Diagnose(failed)
}

func sameDiagnostic(a, b *hcl.Diagnostic) bool {
	return a.Summary == b.Summary && a.Detail == b.Detail && (a.Subject == nil) == (b.Subject == nil) && (a.Subject == nil || *a.Subject == *b.Subject)
}
