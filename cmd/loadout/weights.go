package main

import (
	"fmt"
	"path/filepath"

	"github.com/loadoutdev/loadout/engine"
)

// missingWeights finds starts whose folder of weights is not on this host, while
// nothing was stopped for them yet.
func missingWeights(p *engine.Plan, facts *engine.Discovered) []engine.Problem {
	var problems []engine.Problem
	for i := range p.Changes {
		c := &p.Changes[i]
		if c.Start == nil || !filepath.IsAbs(c.Start.Model) || !missing(c.Start.Model) {
			continue
		}
		detail := "Correct the source, or download the weights. On a host that has no weights, plan with --refresh=false."
		if near := engine.Nearest(c.Start.Model, paths(facts)); near != "" {
			detail = fmt.Sprintf("Did you mean %s? ", near) + detail
		}
		problems = append(problems, engine.Problem{
			Severity: engine.SeverityError, Code: "artifact_missing", Model: c.Model, Path: "source",
			Origin: c.Desired.OriginOf("source"), Summary: "there is no " + c.Start.Model + " on this host", Detail: detail,
		})
	}
	return problems
}

func paths(facts *engine.Discovered) []string {
	if facts == nil {
		return nil
	}
	out := make([]string, len(facts.Artifacts))
	for i := range facts.Artifacts {
		out[i] = facts.Artifacts[i].Path
	}
	return out
}
