package main

import (
	"github.com/spf13/cobra"

	"github.com/loadoutdev/loadout/providers/sim"
)

func newSim(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "sim vllm serve MODEL [flags]",
		Short: "Stand-ins for rehearsals: a pretended vLLM, tiny weights",
		Long: "A stand-in, not an inference engine: it keeps vLLM's contract as far as a manager\n" +
			"of servers can see it (arguments, exit codes, log, readiness, answers, failures on\n" +
			"demand), for demos, tests and rehearsals in CI.\n\n" +
			"  loadout sim vllm serve --help\n  loadout sim weights --help",
		DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			if code := sim.Main(args, c.stdout.to, c.err); code != 0 {
				return &exit{code: code}
			}
			return nil
		},
	}
}
