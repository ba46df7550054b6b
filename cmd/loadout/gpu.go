package main

import (
	"context"
	"slices"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/providers/nvidia"
	"github.com/loadoutdev/loadout/providers/process"
)

// devices gives the UUIDs of the GPUs that this host has, by declared id.
func devices(gpus []engine.GPU) map[string]string {
	uuids := map[string]string{}
	for _, g := range gpus {
		if g.Detected && g.UUID != "" {
			uuids[g.ID] = g.UUID
		}
	}
	return uuids
}

// measure adds up the GPU memory of the processes of an instance; 0 when there
// is no nvidia-smi to ask, or it hides them.
func measure(ctx context.Context, in engine.Instance) int64 {
	if in.Pid == 0 {
		return 0
	}
	seen, err := process.Of(in).Look()
	if err != nil {
		return 0
	}
	holders, err := nvidia.Tool{}.Processes(ctx)
	if err != nil {
		return 0
	}
	var bytes int64
	for _, h := range holders {
		ours := slices.ContainsFunc(seen.Members, func(p process.Proc) bool { return p.Pid == h.Pid })
		if ours && h.Memory != nvidia.Unknown {
			bytes += h.Memory
		}
	}
	return bytes
}
