package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/providers"
)

// adoptions looks, without touching it, at what the adopt blocks would take
// over: what is not there, or is no such server, is an error of the plan and not
// of the apply. What was adopted already is not looked at again.
func (w *wanted) adoptions(ctx context.Context, snap *engine.Snapshot, stateDir string) []engine.Problem {
	var problems []engine.Problem
	for _, a := range w.Adoptions {
		launch := w.launches[a.Model]
		if launch == nil || snap.Instance(a.Model) != nil {
			continue
		}
		if p := adoptable(ctx, a, launch, stateDir); p != nil {
			problems = append(problems, *p)
		}
	}
	return problems
}

// adoptable is what is wrong with one adoption; nil when nothing is.
func adoptable(ctx context.Context, a engine.Adoption, launch *engine.Launch, stateDir string) *engine.Problem {
	problem := &engine.Problem{Severity: engine.SeverityError, Code: "adopt_refused", Model: a.Model, Origin: a.Origin}
	provider := providers.All()[launch.Backend]
	adopter, ok := provider.(engine.Adopter)
	if !ok {
		problem.Summary = fmt.Sprintf("backend %q cannot adopt what it did not start", launch.Backend)
		return problem
	}
	o := engine.InspectOptions{StateDir: stateDir}
	in, err := adopter.Adopt(ctx, *launch, a.Pid, o)
	if err != nil {
		problem.Summary = fmt.Sprintf("%s cannot be adopted: %s", a.Model, strings.TrimPrefix(err.Error(), "adopt: "))
		problem.Detail = "Remove the adopt block to have one started."
		if a.Pid != 0 {
			problem.Detail = "Correct the pid of the running server, or remove the adopt block to have one started."
		}
		return problem
	}
	live, err := provider.Inspect(ctx, in, o)
	if err != nil || len(live.Mismatches) == 0 {
		return nil
	}
	var paths []string
	for _, m := range live.Mismatches {
		paths = append(paths, m.Path)
	}
	problem.Severity, problem.Code = engine.SeverityWarning, "adopt_differs"
	problem.Summary = fmt.Sprintf("what is adopted as %s differs from the files in %s", a.Model, strings.Join(slices.Compact(paths), ", "))
	problem.Detail = "It is adopted as it runs; the apply after this one brings it into line."
	return problem
}
