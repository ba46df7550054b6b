package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/loadoutdev/loadout/cmd/loadout/internal/view"
	"github.com/loadoutdev/loadout/engine"
)

// cli is what every command shares: the streams and the global flags.
type cli struct {
	streams
	dir       string
	workspace string
	noColor   bool
	json      bool // of the command that runs
	stdout    *stdout
	acted     bool // an apply began: its exit code says what became of that
}

// stateRoot is where the workspaces keep their snapshots.
func (c *cli) stateRoot() string { return filepath.Join(c.dir, ".loadout") }

func (c *cli) screen() *view.Screen {
	s := view.NewScreen(c.stdout.to, view.Flags{NoColor: c.noColor}, c.environ)
	s.W = c.stdout
	return s
}

func (c *cli) errScreen() *view.Screen {
	return view.NewScreen(c.err, view.Flags{NoColor: c.noColor}, c.environ)
}

func execute(args []string, s streams) int {
	c := &cli{streams: s, stdout: &stdout{to: s.out}}
	c.out = c.stdout
	root := newRoot(c)
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	cmd, err := root.ExecuteContextC(context.Background())
	if err != nil && !cmd.DisableFlagParsing && asksJSON(args) {
		c.json = true // the mistake may stand before the flag
	}
	if failed := c.stdout.err; failed != nil && (err == nil && !c.acted || errors.Is(err, failed)) {
		err = fmt.Errorf("the output could not be written: %w", failed)
	}
	c.report(err)
	return codeOf(err)
}

// asksJSON tells whether --json is on a command line that could not be parsed.
func asksJSON(args []string) bool {
	for _, arg := range args {
		switch arg {
		case "--json", "--json=true":
			return true
		case "--":
			return false
		}
	}
	return false
}

func newRoot(c *cli) *cobra.Command {
	root := &cobra.Command{
		Use:   "loadout",
		Short: "Plan and apply for GPU model serving",
		Long: "Loadout brings the model servers of a GPU host into line with files that people\n" +
			"write and review: plan shows what would change and why, apply does exactly that.\n\n" + exitTable,
		SilenceUsage: true, SilenceErrors: true,
		Args: knownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags := root.PersistentFlags()
	flags.StringVarP(&c.dir, "dir", "C", ".", "directory of the configuration")
	flags.StringVarP(&c.workspace, "workspace", "w", "", "workspace; not needed when there is only one")
	flags.BoolVar(&c.noColor, "no-color", false, "no color, whatever the terminal can do")
	root.SetFlagErrorFunc(suggestFlag)
	root.AddGroup(&cobra.Group{ID: "main", Title: "The rhythm:"}, &cobra.Group{ID: "look", Title: "Look:"}, &cobra.Group{ID: "files", Title: "Files:"})
	for group, commands := range map[string][]*cobra.Command{
		"main":  {newDiscover(c), newPlan(c), newApply(c), newDestroy(c), newDrift(c)},
		"look":  {newShow(c), newList(c), newExplain(c), newProbe(c)},
		"files": {newValidate(c), newFmt(c)},
		"":      {newSim(c), newVersion(c)},
	} {
		for _, cmd := range commands {
			cmd.GroupID = group
			root.AddCommand(cmd)
		}
	}
	return root
}

// suggestFlag adds what the mistyped flag probably meant.
func suggestFlag(cmd *cobra.Command, err error) error {
	if !cmd.HasParent() { // the flag may be one of the command that was meant
		if unknown := knownCommand(cmd, cmd.Flags().Args()); unknown != nil {
			return unknown
		}
	}
	_, typed, found := strings.Cut(err.Error(), "unknown flag: --")
	if !found {
		return fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath())
	}
	var names []string
	collect := func(f *pflag.Flag) { names = append(names, f.Name) }
	cmd.Flags().VisitAll(collect)
	cmd.InheritedFlags().VisitAll(collect)
	if near := engine.Nearest(typed, names); near != "" {
		return fmt.Errorf("%w (did you mean --%s?)", err, near)
	}
	return fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath())
}

// jsonFlag adds --json to a command.
func (c *cli) jsonFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&c.json, "json", false, "print JSON (versioned, see README)")
}
