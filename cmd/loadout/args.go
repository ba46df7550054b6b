package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/loadoutdev/loadout/engine"
)

// noArgument refuses arguments of a command that works on a whole workspace:
// its name is what people try.
func noArgument(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("%s takes no argument; for a workspace: -w %s", cmd.Name(), shellWord(args[0]))
}

// wholeDirectory refuses the arguments of validate: what a file says depends on
// the others.
func wholeDirectory(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return errors.New("validate checks the whole directory: -C DIR; one workspace of it: -w NAME")
}

// oneModel wants the name of a model and at most more further arguments.
func oneModel(more int, hint string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return fmt.Errorf("%s needs a MODEL: see loadout list", cmd.Name())
		case len(args) > 1+more:
			return fmt.Errorf("%s: %q is one argument too many; %s", cmd.Name(), args[1+more], hint)
		}
		return nil
	}
}

// savedPlan wants at most one argument, and that it is a file: names of models
// are what people try.
func savedPlan(without string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		_, err := os.Stat(args[0])
		switch {
		case len(args) > 1:
			return fmt.Errorf("%s takes one saved plan (plan --out), not %d arguments", cmd.Name(), len(args))
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%s takes a saved plan (plan --out), and there is no file %s; without one %s", cmd.Name(), shellWord(args[0]), without)
		}
		return nil
	}
}

// folders refuses addresses: those of a service belong in a file.
func folders(_ *cobra.Command, args []string) error {
	for _, arg := range args {
		switch {
		case strings.HasPrefix(arg, "http://"), strings.HasPrefix(arg, "https://"):
			return fmt.Errorf("discover takes folders; the address of an Ollama belongs in a file: discover { ollama = %q }", arg)
		case strings.Contains(arg, "://"):
			return fmt.Errorf("discover takes folders, not sources like %s; without one it looks at the usual places", arg)
		}
	}
	return nil
}

// knownCommand suggests what a mistyped command probably meant.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	if near := engine.Nearest(args[0], names); near != "" {
		return fmt.Errorf("there is no command %q: did you mean loadout %s?", args[0], near)
	}
	return fmt.Errorf("there is no command %q: see loadout --help", args[0])
}
