package view

import (
	"fmt"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// PlanOptions say how much of a plan is shown and how it ends.
type PlanOptions struct {
	Full    bool   // list every field, every line of a diff and what does not change
	Destroy bool   // the plan ends everything: models go although their blocks are there
	Next    string // command that comes next; empty: none, apply itself shows the plan
}

type planPage struct {
	*page
	plan *engine.Plan
	o    PlanOptions
}

// Plan writes a plan for people: the GPUs, what changed outside Loadout, a
// block per change in the order of the plan, and an ending that is right when
// it is read alone.
func Plan(s *Screen, p *engine.Plan, o PlanOptions) error {
	pp := &planPage{page: s.page(), plan: p, o: o}
	pp.header()
	pp.gpus()
	pp.drift()
	for i := range p.Changes {
		pp.gap()
		pp.change(&p.Changes[i])
	}
	pp.unchangedModels()
	pp.checks()
	pp.ending()
	return pp.flush()
}

// header: "rtx4080 · 4 models · snapshot 41 · plan 8c1e09f2".
func (p *planPage) header() {
	models := p.plan.Summary.Changes() + p.plan.Summary.None
	parts := []string{p.paint(strong, or(p.clean(p.plan.Workspace), "workspace without a name")), Count(models, "model")}
	if p.plan.Serial > 0 {
		parts = append(parts, fmt.Sprintf("snapshot %d", p.plan.Serial))
	} else {
		parts = append(parts, "no snapshot yet")
	}
	if !p.plan.Empty() {
		parts = append(parts, "plan "+shortDigest(p.plan.Digest))
	}
	p.line(strings.Join(parts, " "+p.glyphs().dot+" "))
}

// shortDigest is enough of a digest to compare by eye.
func shortDigest(d string) string { return d[:min(8, len(d))] }

func (p *planPage) unchangedModels() {
	if !p.o.Full || len(p.plan.Unchanged) == 0 {
		return
	}
	p.gap()
	p.line("Unchanged")
	for _, name := range p.plan.Unchanged {
		p.line("  ", p.clean(name))
	}
}

// checks lists the check blocks that failed; with Full the others too.
func (p *planPage) checks() {
	var rows [][]cell
	for _, c := range p.plan.Checks {
		verdict, sign := p.clean(c.Message), as(bad, "!")
		switch {
		case c.Passed && !p.o.Full:
			continue
		case c.Passed:
			verdict, sign = "passed", text(" ")
		case c.Severity == engine.SeverityWarning:
			verdict, sign = "warning"+after(": ", verdict), as(warn, "!")
		}
		if at := fileOf(c.Origin); at != "" {
			verdict += " (" + p.clean(at) + ")"
		}
		rows = append(rows, []cell{sign, text(p.clean(c.Name)), text(""), text(or(verdict, "failed"))})
	}
	if len(rows) > 0 {
		p.gap()
		p.line("Checks")
		p.table("  ", 1, rows)
	}
}
