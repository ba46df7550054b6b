package view

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/apply"
)

// ApplyResult writes how a run ended: the cause of each failure with the log to
// read, what became of every change, and the next command. stateDir is where
// the logs are.
func ApplyResult(s *Screen, plan *engine.Plan, r *apply.Result, stateDir string) error {
	p := s.page()
	p.gap() // it follows the plan
	for i := range r.Outcomes {
		if o := &r.Outcomes[i]; o.Err != nil {
			p.cause(o, stateDir)
			p.gap()
		}
	}
	p.outcomes(plan, r)
	p.gap()
	p.verdict(plan, r)
	p.next(nextAfter(plan, r))
	return p.flush()
}

// cause says why a change failed, in the backend's words where it told.
func (p *page) cause(o *apply.Outcome, stateDir string) {
	first, rest, _ := strings.Cut(withoutModel(o.Err.Error(), o.Model), "\n")
	head := p.clean(o.Model) + ": " + p.clean(first)
	switch {
	case o.Start != nil && o.Start.Status == "not started":
		head = p.clean(o.Model) + " cannot be started"
	case o.Start != nil:
		head = p.clean(o.Model) + " did not become ready"
	}
	p.line(p.paint(bad, "Error:"), " ", p.paint(strong, head))
	if o.Start != nil {
		p.gap()
		p.detail("  ", sentence(o.Start.Cause))
		if o.Start.Hint != "" {
			p.detail("  ", sentence(o.Start.Hint))
		}
	}
	if rest != "" {
		p.gap()
		p.detail("  ", rest)
	}
	if log := logOf(o); log != "" {
		p.line("  log: ", p.clean(filepath.Join(stateDir, log)))
	}
}

// logOf is the log of the launch that failed, not of the one that was put back.
func logOf(o *apply.Outcome) string {
	if o.Start != nil && o.Start.Log != "" {
		return o.Start.Log
	}
	return o.Log
}

// sentence gives a phrase a capital, unless it begins with a name of the
// machine's, and a full stop.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if first, _, _ := strings.Cut(text, " "); first != "" && strings.Trim(first, "abcdefghijklmnopqrstuvwxyz") == "" {
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	if text == "" || strings.ContainsAny(text[len(text)-1:], ".?!") {
		return text
	}
	return text + "."
}

func (p *page) outcomes(plan *engine.Plan, r *apply.Result) {
	changes := map[string]*engine.Change{}
	for i := range plan.Changes {
		changes[plan.Changes[i].Model] = &plan.Changes[i]
	}
	rows := make([][]cell, len(r.Outcomes))
	for i := range r.Outcomes {
		o := &r.Outcomes[i]
		c := changes[o.Model]
		if c == nil {
			c = &engine.Change{Model: o.Model}
		}
		word, st := statusWord(o)
		rows[i] = []cell{as(st, word), text(p.clean(o.Model)), text(p.clean(became(o, c, unseen(plan, o.Model))))}
	}
	p.table("  ", 3, rows)
}

// unseen: nobody knows whether the model serves.
func unseen(plan *engine.Plan, model string) bool {
	return slices.ContainsFunc(plan.Unseen, func(u engine.Unseen) bool { return u.Model == model })
}

// statusWord of what was not begun says what was not done: a server that was to
// be restarted was started long ago.
func statusWord(o *apply.Outcome) (string, style) {
	switch o.Status {
	case apply.Applied:
		return "applied", good
	case apply.Failed:
		return "failed", bad
	case apply.PutBack:
		return "put back", warn
	case apply.Skipped:
		return "skipped", warn
	case apply.NotStarted:
	}
	return "not " + done(o.Action), faint
}

// became says what happened to a model and what runs of it now.
func became(o *apply.Outcome, c *engine.Change, unseen bool) string {
	var parts []string
	untouched := o.Status == apply.NotStarted || o.Status == apply.Skipped
	switch {
	case o.Status == apply.Applied && o.Action == engine.ActionCreate && !c.Served:
		parts = append(parts, "registered")
	case o.Status == apply.Applied:
		parts = append(parts, done(o.Action))
	}
	if o.Detail != "" {
		parts = append(parts, o.Detail)
	}
	if o.Pid > 0 {
		parts = append(parts, pid(o.Pid))
	}
	switch {
	case !untouched:
		parts = append(parts, seconds(o.Seconds))
	case c.Interrupts && !unseen:
		parts = append(parts, "it still serves as before")
	}
	return strings.Join(parts, ", ")
}

func (p *page) verdict(plan *engine.Plan, r *apply.Result) {
	run, complete := "Apply", "Apply complete"
	if plan.Destroy {
		run, complete = "Destroy", "Destroyed"
	}
	text := run + " failed: "
	switch {
	case r.Interrupted:
		text = run + " interrupted: "
	case r.OK():
		text = complete + ": "
	}
	record := ""
	if r.Serial > 0 {
		record = fmt.Sprintf("Snapshot %d says what runs now.", r.Serial)
	}
	p.total(text+or(tallyResult(plan, r), "nothing to do")+".", record)
}

// tallyResult counts outcomes. A destroy counts what it stopped and what was
// only forgotten apart: one of them may be left running.
func tallyResult(plan *engine.Plan, r *apply.Result) string {
	n := summarize(r)
	type counted struct {
		n    int
		word string
	}
	all := []counted{{n.Applied, "applied"}}
	if plan.Destroy {
		stopped := 0
		for i := range r.Outcomes {
			if o := &r.Outcomes[i]; o.Status == apply.Applied && o.Action == engine.ActionStop {
				stopped++
			}
		}
		all = []counted{{stopped, "stopped"}, {n.Applied - stopped, "forgotten"}}
	}
	all = append(all, counted{n.Failed, "failed"}, counted{n.PutBack, "put back"}, counted{n.Skipped, "skipped"}, counted{n.NotStarted, "not begun"})
	var parts []string
	for _, c := range all {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.word))
		}
	}
	return strings.Join(parts, ", ")
}

// nextAfter is what to do now: the change that the first failure asks for,
// or to go on.
func nextAfter(plan *engine.Plan, r *apply.Result) string {
	if r.OK() {
		return ""
	}
	look, verb := "loadout plan", "apply"
	if plan.Destroy {
		look, verb = "loadout plan --destroy", "destroy"
	}
	if plan.Workspace != "" {
		look += " -w " + shellWord(plan.Workspace)
	}
	for i := range r.Outcomes {
		if o := &r.Outcomes[i]; o.Start != nil && (o.Start.Hint != "" || o.Start.Field != "") {
			return repair(plan, o) + ", then " + look
		}
	}
	if r.Interrupted {
		return look + " shows what is left, loadout " + verb + " goes on"
	}
	return look + " shows what is left"
}

// repair is the hint of a failed start with the place of the field to change.
func repair(plan *engine.Plan, o *apply.Outcome) string {
	text := strings.TrimRight(o.Start.Hint, ".")
	if text == "" {
		text = "change " + o.Start.Field
	}
	for i := range plan.Changes {
		c := &plan.Changes[i]
		if c.Model != o.Model || c.Desired == nil || o.Start.Field == "" {
			continue
		}
		if at := c.Desired.OriginOf(o.Start.Field); at.File != "" {
			return text + " (" + at.Place() + ")"
		}
	}
	return text
}
