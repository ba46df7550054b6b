package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/loadoutdev/loadout/cmd/loadout/internal/view"
)

// version is set by the linker in releases.
var version = "dev"

func newVersion(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if c.json {
				return view.JSON(c.out, map[string]string{
					"format_version": "1.0", "version": version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
				})
			}
			_, err := fmt.Fprintln(c.out, "loadout", version)
			return err
		},
	}
	c.jsonFlag(cmd)
	return cmd
}
