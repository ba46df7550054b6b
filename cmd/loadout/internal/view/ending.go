package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// ending stands alone: one line per changed model, then the counts, what is not
// served meanwhile, and the next command.
func (p *planPage) ending() {
	if p.plan.Empty() {
		p.nothing()
		return
	}
	p.gap()
	rows := make([][]cell, len(p.plan.Changes))
	for i := range p.plan.Changes {
		c := &p.plan.Changes[i]
		_, verb := p.price(c)
		rows[i] = []cell{as(p.styleOf(c.Action), verb), text(p.clean(c.Model)), text(p.gist(c))}
	}
	p.table("  ", 2, rows)
	p.total("Plan: "+p.counts()+".", p.interruptions())
	if !p.plan.Refreshed {
		p.paragraph("", "", "What runs was not looked at: what changed outside Loadout is not in this plan.")
	}
	p.verdict()
}

// total is one line, or two where one would be wider than the terminal.
func (p *planPage) total(counts, interruptions string) {
	if n := p.prose(0); n == 0 || cells(counts)+2+cells(interruptions) <= n {
		p.line(counts, "  ", interruptions)
		return
	}
	p.paragraph("", "      ", counts)
	p.paragraph("", "      ", interruptions)
}

func (s *Screen) styleOf(a engine.Action) style {
	_, st := s.symbol(a)
	return st
}

// gist is the cause of a change in a few words.
func (p *planPage) gist(c *engine.Change) string {
	var fields, causes []string
	for _, r := range c.Reasons {
		switch word := causeWord(r); {
		case word != "":
			causes = append(causes, p.clean(word))
		case r.Path != "":
			fields = append(fields, p.clean(shortPath(r.Path)))
		}
	}
	if len(fields) > 0 {
		causes = append(causes, few(fields)...)
	}
	return strings.Join(slices.Compact(causes), ", ")
}

// causeWord is a reason that is not about a field that somebody wrote.
func causeWord(r engine.Reason) string {
	switch r.Code {
	case engine.ReasonNew:
		return "new"
	case engine.ReasonRemoved:
		return "removed"
	case engine.ReasonArtifactChanged:
		return "weights changed"
	case engine.ReasonProcessGone:
		return "process gone"
	case engine.ReasonProcessDiffers:
		return "process differs" + after(" in ", shortPath(r.Path))
	case engine.ReasonAnswersDifferently:
		return "answers differently" + after(" in ", shortPath(r.Path))
	case engine.ReasonHung:
		return "hung"
	case engine.ReasonUnfinished:
		return "interrupted before"
	case engine.ReasonMoved:
		return "renamed from " + r.Detail
	case engine.ReasonAdopted:
		return "already running"
	case engine.ReasonLockViolation:
		return "not the locked bytes"
	case engine.ReasonConfigChanged, engine.ReasonFactsChanged:
	}
	return ""
}

// counts: "1 start, 2 restarts, 1 stop, 1 unchanged". A restart is a restart.
func (p *planPage) counts() string {
	registered := 0
	for i := range p.plan.Changes {
		if c := &p.plan.Changes[i]; c.Action == engine.ActionCreate && !c.Served {
			registered++
		}
	}
	s := p.plan.Summary
	var parts []string
	add := func(n int, text string) {
		if n > 0 {
			parts = append(parts, text)
		}
	}
	add(s.Create-registered, count(s.Create-registered, "start"))
	add(s.Restart, count(s.Restart, "restart"))
	add(s.Replace, count(s.Replace, "replacement"))
	add(s.Update, count(s.Update, "update"))
	add(s.Adopt, fmt.Sprintf("%d adopted", s.Adopt))
	add(registered, fmt.Sprintf("%d registered", registered))
	add(s.Stop, count(s.Stop, "stop"))
	add(s.Forget, fmt.Sprintf("%d forgotten", s.Forget))
	add(s.None, fmt.Sprintf("%d unchanged", s.None))
	return strings.Join(parts, ", ")
}

// interruptions says what will not be served, and for how long.
func (p *planPage) interruptions() string {
	var away, ended []*engine.Change
	for i := range p.plan.Changes {
		switch c := &p.plan.Changes[i]; {
		case !c.Interrupts:
		case c.Action == engine.ActionStop:
			ended = append(ended, c)
		default:
			away = append(away, c)
		}
	}
	var parts []string
	if len(away) > 0 {
		parts = append(parts, p.awayText(away))
	}
	switch {
	case len(ended) == 1:
		parts = append(parts, p.clean(ended[0].Model)+" is served no longer.")
	case len(ended) > 1:
		parts = append(parts, count(len(ended), "model")+" are served no longer.")
	}
	if parts == nil {
		return "Nothing that serves is interrupted."
	}
	return strings.Join(parts, " ")
}

func (p *planPage) awayText(away []*engine.Change) string {
	longest, untimed := 0.0, 0
	for _, c := range away {
		if c.Downtime == nil {
			untimed++
			continue
		}
		longest = max(longest, *c.Downtime)
	}
	name := p.clean(away[0].Model)
	switch {
	case len(away) == 1 && untimed == 0:
		return "About " + seconds(longest) + " without " + name + "."
	case len(away) == 1:
		return "Without " + name + " for a time not known yet."
	case untimed == len(away):
		return count(len(away), "model") + " not served for a time not known yet."
	}
	text := count(len(away), "model") + " not served for a while, the longest about " + seconds(longest)
	if untimed > 0 {
		text += fmt.Sprintf(", %d not timed yet", untimed)
	}
	return text + "."
}

// verdict is whether apply would go ahead, and the next command.
func (p *planPage) verdict() {
	if blockers := p.blockers(); blockers != "" {
		p.line(p.paint(bad, "Apply refuses this plan: "+blockers+"."))
		return
	}
	next := p.o.Next
	switch {
	case next != "":
	case p.o.Saved != "":
		next = "loadout apply " + shellWord(p.o.Saved)
	default:
		next = "loadout apply" + p.workspaceFlag() + "   (or --out plan.json to have it approved first)"
		if p.o.Destroy {
			next = "loadout destroy" + p.workspaceFlag()
		}
	}
	p.line("Next: ", p.clean(next))
}

func (p *planPage) workspaceFlag() string {
	if p.plan.Workspace == "" {
		return ""
	}
	return " -w " + shellWord(p.plan.Workspace)
}

// blockers counts what keeps apply from going ahead.
func (p *planPage) blockers() string {
	var parts []string
	problems, checks := 0, 0
	for i := range p.plan.Problems {
		if p.plan.Problems[i].Severity == engine.SeverityError {
			problems++
		}
	}
	for _, c := range p.plan.Checks {
		if !c.Passed && c.Severity != engine.SeverityWarning {
			checks++
		}
	}
	if problems > 0 {
		parts = append(parts, count(problems, "error"))
	}
	if checks > 0 {
		parts = append(parts, count(checks, "failed check"))
	}
	return strings.Join(parts, ", ")
}

// nothing is the ending of a plan without changes. It claims only what was
// looked at.
func (p *planPage) nothing() {
	text := "No changes: what runs is what the files say."
	switch {
	case p.plan.Summary.None == 0 && p.plan.Serial == 0:
		text = "No changes: the files declare no model and none is recorded."
	case p.plan.Summary.None == 0:
		text = "No changes: no model is declared and none is recorded."
	case !p.plan.Refreshed:
		text = "No changes: the snapshot is what the files say (live state not checked)."
	case len(p.plan.Drift) > 0:
		text = "No changes: the files ask for nothing. What runs has drifted (see above)."
	}
	if len(p.plan.Drift)+len(p.plan.Checks) > 0 {
		p.gap()
	}
	p.line(p.paint(good, text))
	if blockers := p.blockers(); blockers != "" {
		p.line(p.paint(bad, "Apply would refuse: "+blockers+"."))
	}
}
