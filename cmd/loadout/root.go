package main

import (
	"context"
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
}

// stateRoot is where the workspaces keep their snapshots.
func (c *cli) stateRoot() string { return filepath.Join(c.dir, ".loadout") }

func (c *cli) screen() *view.Screen {
	return view.NewScreen(c.out, view.Flags{NoColor: c.noColor}, c.environ)
}

func (c *cli) errScreen() *view.Screen {
	return view.NewScreen(c.err, view.Flags{NoColor: c.noColor}, c.environ)
}

func execute(args []string, s streams) int {
	c := &cli{streams: s}
	root := newRoot(c)
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	err := root.ExecuteContext(context.Background())
	c.report(err)
	return codeOf(err)
}

func newRoot(c *cli) *cobra.Command {
	root := &cobra.Command{
		Use:   "loadout",
		Short: "Plan and apply for GPU model serving",
		Long: "Loadout brings the model servers of a GPU host into line with files that people\n" +
			"write and review: plan shows what would change and why, apply does exactly that.\n\n" + exitTable,
		SilenceUsage: true, SilenceErrors: true,
		Args: cobra.NoArgs,
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
	_, typed, found := strings.Cut(err.Error(), "unknown flag: --")
	if !found {
		return fmt.Errorf("%w (see loadout %s --help)", err, cmd.Name())
	}
	var names []string
	collect := func(f *pflag.Flag) { names = append(names, f.Name) }
	cmd.Flags().VisitAll(collect)
	cmd.InheritedFlags().VisitAll(collect)
	if near := engine.Nearest(typed, names); near != "" {
		return fmt.Errorf("%w (did you mean --%s?)", err, near)
	}
	return fmt.Errorf("%w (see loadout %s --help)", err, cmd.Name())
}

// jsonFlag adds --json to a command.
func (c *cli) jsonFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&c.json, "json", false, "print JSON (versioned, see README)")
}
