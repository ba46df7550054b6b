package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
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
		Args:  cobra.NoArgs,
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
		fmt.Fprintf(c.out, "Valid: %s in %s, %s.\n", count(v.models, "model"), count(len(v.sources), "file"), count(len(workspaces), "workspace"))
	}
	return nil
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

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func newFmt(c *cli) *cobra.Command {
	var check, diff bool
	cmd := &cobra.Command{
		Use:     "fmt [FILE…]",
		Short:   "Bring files into canonical form",
		Long:    "Formats the given files, or all *.hcl and workspaces/*.hcl of the directory. The\nname - means standard input to standard output.",
		Example: "  loadout fmt --check --diff\n  loadout fmt - < models.hcl",
		RunE:    func(_ *cobra.Command, args []string) error { return c.runFmt(args, check, diff) },
	}
	cmd.Flags().BoolVar(&check, "check", false, "write nothing; exit 2 if a file is not in canonical form")
	cmd.Flags().BoolVar(&diff, "diff", false, "show what would change; writes nothing")
	return cmd
}

func (c *cli) runFmt(args []string, check, diff bool) error {
	if len(args) == 1 && args[0] == "-" {
		return c.fmtStdin(check, diff)
	}
	paths, err := c.fmtPaths(args)
	if err != nil {
		return err
	}
	differs := false
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		changed, err := c.fmtOne(path, src, check, diff)
		if err != nil {
			return err
		}
		differs = differs || changed
	}
	if differs && check {
		return &exit{code: exitDiffers}
	}
	return nil
}

// fmtOne formats one file; it names the files that it changed, or would.
func (c *cli) fmtOne(path string, src []byte, check, diff bool) (bool, error) {
	out, err := canonical(path, src)
	if err != nil || bytes.Equal(src, out) {
		return false, err
	}
	if diff {
		return true, view.FileDiff(c.screen(), path, src, out)
	}
	fmt.Fprintln(c.out, path)
	if check {
		return true, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return false, err
	}
	return true, renameio.WriteFile(path, out, info.Mode().Perm())
}

func (c *cli) fmtStdin(check, diff bool) error {
	src, err := io.ReadAll(c.in)
	if err != nil {
		return err
	}
	out, err := canonical("<stdin>", src)
	if err != nil {
		return err
	}
	changed := !bytes.Equal(src, out)
	switch {
	case diff && changed:
		if err := view.FileDiff(c.screen(), "<stdin>", src, out); err != nil {
			return err
		}
	case !diff && !check:
		if _, err := c.out.Write(out); err != nil {
			return err
		}
	}
	if check && changed {
		return &exit{code: exitDiffers}
	}
	return nil
}

// canonical formats src; a file that does not parse is left alone.
func canonical(path string, src []byte) ([]byte, error) {
	if _, diags := hclsyntax.ParseConfig(src, path, hcl.InitialPos); diags.HasErrors() {
		return nil, diags
	}
	return lang.Format(src), nil
}

func (c *cli) fmtPaths(args []string) ([]string, error) {
	if len(args) > 0 {
		return args, nil
	}
	var paths []string
	for _, pattern := range []string{"*.hcl", "workspaces/*.hcl"} {
		found, err := filepath.Glob(filepath.Join(c.dir, pattern))
		if err != nil {
			return nil, err
		}
		paths = append(paths, found...)
	}
	paths = slices.DeleteFunc(paths, func(p string) bool { return strings.HasSuffix(p, ".lock.hcl") })
	if len(paths) == 0 {
		return nil, errors.New("no *.hcl files here: name a file, or - for standard input")
	}
	return paths, nil
}
