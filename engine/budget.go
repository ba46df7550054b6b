package engine

import (
	"fmt"
	"slices"
	"strings"
)

// needs is what a model takes of each of its GPUs, in bytes; 0 when unknown.
func needs(in *PlanInput, m *Model) int64 {
	if m == nil || !m.Served {
		return 0
	}
	if m.Memory > 0 {
		return m.Memory
	}
	estimator, ok := in.Providers[m.Backend].(MemoryEstimator)
	if !ok {
		return 0
	}
	for _, g := range in.Workspace.GPUs {
		if slices.Contains(m.GPUs, g.ID) {
			if n, ok := estimator.Memory(m, g); ok {
				return n
			}
		}
	}
	return 0
}

// budgets says for each GPU what it holds now and after the plan. After is what
// strangers hold plus what every model that will be served there takes; one
// model of unknown size makes it unknown.
func budgets(in *PlanInput, p *Plan) []GPUBudget {
	out := make([]GPUBudget, 0, len(in.Workspace.GPUs))
	for _, g := range in.Workspace.GPUs {
		b := GPUBudget{GPU: g, After: max(0, strangers(in, g))}
		for i := range in.Desired {
			m := &in.Desired[i]
			if in.Destroy || !m.Served || !slices.Contains(m.GPUs, g.ID) {
				continue
			}
			b.Users = append(b.Users, m.Name)
			if n := needs(in, m); n > 0 && b.After >= 0 {
				b.After += n
			} else {
				b.After = -1
			}
		}
		out = append(out, b)
	}
	return out
}

// overfull warns of GPUs that would hold more than they have. It is an estimate,
// so it does not block.
func overfull(gpus []GPUBudget) []Problem {
	var problems []Problem
	for _, g := range gpus {
		if room := g.Memory - g.Reserve; g.Memory > 0 && g.After > room {
			problems = append(problems, Problem{
				Severity: SeverityWarning, Code: "gpu_over", Path: "gpus", Origin: g.Origin,
				Summary: fmt.Sprintf("GPU %s would be over its memory by %.1f GiB", g.ID, float64(g.After-room)/(1<<30)),
				Detail:  "By estimate, after the plan: " + strings.Join(g.Users, ", ") + ". Lower gpu_memory_utilization, or serve less there.",
			})
		}
	}
	return problems
}

// strangers is the memory in use that no recorded instance accounts for.
func strangers(in *PlanInput, g GPU) int64 {
	if !g.Detected || g.Used < 0 || in.Snapshot == nil {
		return max(g.Used, 0)
	}
	used := g.Used
	for i := range in.Snapshot.Instances {
		inst := &in.Snapshot.Instances[i]
		if slices.Contains(inst.Launch.GPUs, g.ID) || g.UUID != "" && slices.Contains(inst.Launch.GPUs, g.UUID) {
			used -= inst.MemoryBytes
		}
	}
	return used
}
