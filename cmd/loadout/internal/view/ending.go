package view

import (
	"fmt"
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

// total is two sentences on one line, or on two where one would be wider than
// the terminal.
func (p *page) total(counts, rest string) {
	if n := p.prose(0); rest == "" || n == 0 || cells(counts)+2+cells(rest) <= n {
		p.line(counts, "  ", rest)
		return
	}
	p.paragraph("", "  ", counts)
	p.paragraph("", "  ", rest)
}

func (s *Screen) styleOf(a engine.Action) style {
	_, st := s.symbol(a)
	return st
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
	add(s.Create-registered, Count(s.Create-registered, "start"))
	add(s.Restart, Count(s.Restart, "restart"))
	add(s.Replace, Count(s.Replace, "replacement"))
	add(s.Update, Count(s.Update, "update"))
	add(s.Adopt, fmt.Sprintf("%d adopted", s.Adopt))
	add(registered, fmt.Sprintf("%d registered", registered))
	add(s.Stop, Count(s.Stop, "stop"))
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
		parts = append(parts, Count(len(ended), "model")+" are served no longer.")
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
		return capital(about(longest)) + " without " + name + "."
	case len(away) == 1:
		return "Without " + name + " for a time not known yet."
	case untimed == len(away):
		return Count(len(away), "model") + " not served for a time not known yet."
	}
	text := Count(len(away), "model") + " not served for a while, the longest " + about(longest)
	if untimed > 0 {
		text += fmt.Sprintf(", %d not timed yet", untimed)
	}
	return text + "."
}

// verdict is whether apply would go ahead, and if so the next command.
func (p *planPage) verdict() {
	if blockers := p.blockers(); blockers != "" {
		p.line(p.paint(bad, "Apply refuses this plan: "+blockers+"."))
		return
	}
	p.next(p.o.Next)
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
		parts = append(parts, Count(problems, "error"))
	}
	if checks > 0 {
		parts = append(parts, Count(checks, "failed check"))
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
	case len(p.plan.Unseen) > 0:
		text = fmt.Sprintf("No changes as far as could be seen: %s could not be looked at (%s).", p.plan.Unseen[0].Model, p.plan.Unseen[0].Detail)
		if n := len(p.plan.Unseen); n > 1 {
			text = fmt.Sprintf("No changes as far as could be seen: %s could not be looked at, among them %s (%s).", Count(n, "model"), p.plan.Unseen[0].Model, p.plan.Unseen[0].Detail)
		}
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
