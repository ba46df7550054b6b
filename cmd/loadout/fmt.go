package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/spf13/cobra"

	"github.com/loadoutdev/loadout/cmd/loadout/internal/view"
	"github.com/loadoutdev/loadout/engine/plainfile"
	"github.com/loadoutdev/loadout/lang"
)

func newFmt(c *cli) *cobra.Command {
	var f formatting
	cmd := &cobra.Command{
		Use:     "fmt [FILE…]",
		Short:   "Bring files into canonical form",
		Long:    "Formats the given files, or all *.hcl and workspaces/*.hcl of the directory. The\nname - means standard input to standard output.",
		Example: "  loadout fmt --check --diff\n  loadout fmt - < models.hcl",
		RunE:    func(_ *cobra.Command, args []string) error { return c.runFmt(args, &f) },
	}
	cmd.Flags().BoolVar(&f.check, "check", false, "write nothing; exit 2 if a file is not in canonical form")
	cmd.Flags().BoolVar(&f.diff, "diff", false, "show what would change; writes nothing")
	return cmd
}

// formatting is one run of fmt over some files.
type formatting struct {
	check, diff bool
	differs     bool                 // a file is not in canonical form
	diags       hcl.Diagnostics      // of the files that do not parse
	sources     map[string]*hcl.File // of the same
}

func (c *cli) runFmt(args []string, f *formatting) error {
	f.sources = map[string]*hcl.File{}
	if err := c.format(args, f); err != nil {
		return err
	}
	if f.diags.HasErrors() {
		if err := c.diagnose(f.diags, f.sources); err != nil {
			return err
		}
		return &exit{code: exitError}
	}
	if f.differs && f.check {
		return &exit{code: exitDiffers}
	}
	return nil
}

// format goes through the files; one that does not parse is left alone and
// does not keep the others from being formatted.
func (c *cli) format(args []string, f *formatting) error {
	if len(args) == 1 && args[0] == "-" {
		return c.fmtStdin(f)
	}
	paths, err := c.fmtPaths(args)
	if err != nil {
		return err
	}
	for _, path := range paths {
		src, err := plainfile.Read(path, plainfile.MaxText)
		if err != nil {
			return err
		}
		out, ok := f.canonical(path, src)
		if !ok || bytes.Equal(src, out) {
			continue
		}
		f.differs = true
		if err := c.fmtChanged(path, src, out, f); err != nil {
			return err
		}
	}
	return nil
}

// fmtChanged names or shows a file that is not in canonical form, and writes it
// unless the run only looks.
func (c *cli) fmtChanged(path string, src, out []byte, f *formatting) error {
	if f.diff {
		return view.FileDiff(c.screen(), path, src, out)
	}
	fmt.Fprintln(c.out, path)
	if f.check {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return renameio.WriteFile(path, out, info.Mode().Perm())
}

func (c *cli) fmtStdin(f *formatting) error {
	src, err := io.ReadAll(c.in)
	if err != nil {
		return err
	}
	out, ok := f.canonical("<stdin>", src)
	if !ok {
		return nil
	}
	f.differs = !bytes.Equal(src, out)
	switch {
	case f.diff && f.differs:
		return view.FileDiff(c.screen(), "<stdin>", src, out)
	case !f.diff && !f.check:
		_, err = c.out.Write(out)
	}
	return err
}

// canonical formats src; not ok when it does not parse.
func (f *formatting) canonical(path string, src []byte) (out []byte, ok bool) {
	file, diags := hclsyntax.ParseConfig(src, path, hcl.InitialPos)
	if diags.HasErrors() {
		f.diags = append(f.diags, diags...)
		f.sources[path] = file
		return nil, false
	}
	return lang.Format(src), true
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
