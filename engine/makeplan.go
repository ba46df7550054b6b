package engine

import (
	"fmt"
	"slices"
)

// PlanInput is all that a plan is made of. Live is nil when nobody looked.
type PlanInput struct {
	Workspace  Workspace
	Desired    []Model // sorted by name
	Launches   map[string]*Launch
	Snapshot   *Snapshot // nil: none yet
	Live       *Observed
	Unfinished []Unfinished
	Moves      []Move
	Removals   []Removal
	Adoptions  []Adoption
	Checks     []CheckResult
	Inputs     []Input
	Problems   []Problem
	Providers  map[string]Provider
	// Destroy plans the end of everything: nothing is desired.
	Destroy bool
	// AllowStop names models whose prevent_stop is waived this time.
	AllowStop []string
}

// MakePlan compares desired, recorded and live state. It is the only place
// where the three meet, and it is pure.
func MakePlan(in PlanInput) *Plan {
	p := &Plan{
		FormatVersion: PlanVersion, Workspace: in.Workspace.Name, Refreshed: in.Live != nil, Destroy: in.Destroy,
		Checks: in.Checks, Inputs: in.Inputs, Problems: slices.Clone(in.Problems),
	}
	if in.Snapshot != nil {
		p.Serial, p.Lineage = in.Snapshot.Serial, in.Snapshot.Lineage
	}
	subjects, problems := gather(&in)
	p.Problems = append(p.Problems, problems...)
	p.Changes = make([]Change, 0, len(subjects))
	for _, s := range subjects {
		c := decide(s)
		if c.Action == ActionNone {
			p.Unchanged = append(p.Unchanged, c.Model)
			p.Summary.None++
		} else {
			p.add(&in, c)
		}
		p.Drift = append(p.Drift, driftOf(s)...)
		if s.occupiedByStranger() {
			p.Problems = append(p.Problems, Problem{
				Severity: SeverityError, Code: "foreign", Model: c.Model, Origin: s.desired.Serve,
				Summary: fmt.Sprintf("the place of %q is taken by something that this workspace did not start", c.Model), Detail: s.live.Detail,
			})
		}
		if s.live != nil && s.live.State == StateUnknown {
			p.Unseen = append(p.Unseen, Unseen{c.Model, s.live.Detail})
			p.Problems = append(p.Problems, Problem{
				Severity: SeverityWarning, Code: "not_seen", Model: c.Model,
				Summary: fmt.Sprintf("%q could not be looked at", c.Model),
				Detail:  s.live.Detail + ". The plan believes that it runs as recorded.",
			})
		}
	}
	p.Summary.Drift = len(p.Drift)
	slices.SortStableFunc(p.Changes, executionOrder)
	p.GPUs = budgets(&in, p)
	p.Problems = append(p.Problems, overfull(p.GPUs)...)
	p.Digest = p.digest()
	return p
}

// add counts a change, sizes it and checks the guard.
func (p *Plan) add(in *PlanInput, c Change) {
	if c.Start != nil {
		c.Launch = c.Start.Digest()
		c.NeedsBytes = needs(in, c.Desired)
	}
	if c.Running != nil && c.Action != ActionForget && c.Action != ActionAdopt {
		c.FreesBytes = c.Running.MemoryBytes
	}
	if guarded(&c, in.AllowStop) {
		p.Problems = append(p.Problems, Problem{
			Severity: SeverityError, Code: "prevent_stop", Model: c.Model, Path: "lifecycle.prevent_stop",
			Origin:  Origin{File: c.Previous.Origins["lifecycle.prevent_stop"]},
			Summary: fmt.Sprintf("%q would be stopped and is protected by prevent_stop", c.Model),
			Detail: fmt.Sprintf("The protection was recorded and holds although the block may be gone. "+
				"Set lifecycle { prevent_stop = false } and apply that first, or run apply --allow-stop %q.", c.Model),
		})
	}
	p.Summary.count(c.Action)
	p.Changes = append(p.Changes, c)
}

// guarded: a stop of something that the snapshot, or the files, protect.
func guarded(c *Change, allowed []string) bool {
	if c.Action != ActionStop || c.Running == nil || slices.Contains(allowed, c.Model) {
		return false
	}
	if c.Desired != nil {
		return c.Desired.Lifecycle.PreventStop
	}
	protected, _ := c.Previous.Lookup("lifecycle", "prevent_stop").(bool)
	return protected
}

func (s *Summary) count(a Action) {
	switch a {
	case ActionCreate:
		s.Create++
	case ActionUpdate:
		s.Update++
	case ActionRestart:
		s.Restart++
	case ActionReplace:
		s.Replace++
	case ActionStop:
		s.Stop++
	case ActionForget:
		s.Forget++
	case ActionAdopt:
		s.Adopt++
	case ActionNone:
		s.None++
	}
}

// executionOrder puts what frees a GPU before what needs one; names break ties,
// because the input is sorted by name.
func executionOrder(a, b Change) int { return phase(a.Action) - phase(b.Action) }

func phase(a Action) int {
	switch a {
	case ActionStop, ActionForget:
		return 0
	case ActionAdopt, ActionUpdate, ActionNone:
		return 1
	case ActionRestart, ActionReplace, ActionCreate:
		return 2
	}
	return 2
}

// digest covers what was approved: which models change, how, why and to what
// values, starting from which snapshot. Places of lines, words for people and
// the digests of files are left out, so that a comment that moves a line
// changes nothing.
func (p *Plan) digest() string {
	d := digester{buf: make([]byte, 0, 256+1024*len(p.Changes))}
	d.raw("{")
	d.key("changes")
	d.raw("[")
	for i := range p.Changes {
		if i > 0 {
			d.raw(",")
		}
		p.Changes[i].digest(&d)
	}
	d.raw("]")
	d.words("lineage", p.Lineage)
	d.member("serial", p.Serial)
	d.words("workspace", p.Workspace)
	d.raw("}")
	return d.sum()
}

func (c *Change) digest(d *digester) {
	d.raw("{")
	d.words("action", string(c.Action))
	d.key("fields")
	d.raw("{")
	for i := range c.Fields {
		f := &c.Fields[i]
		d.key(f.Path)
		d.raw("[")
		d.value(f.Before)
		d.raw(",")
		d.value(f.After)
		d.raw(",")
		d.text(string(f.Effect))
		d.raw("]")
	}
	d.raw("}")
	d.words("from", c.From)
	d.words("launch", c.Launch)
	d.words("model", c.Model)
	d.key("reasons")
	d.raw("[")
	for i, r := range c.Reasons {
		if i > 0 {
			d.raw(",")
		}
		d.text(string(r.Code) + " " + r.Path)
	}
	d.raw("]")
	d.raw("}")
}

// codesOnly drops the words for people: they may name a pid or a time.
func codesOnly(rs []Reason) []Reason {
	out := make([]Reason, len(rs))
	for i, r := range rs {
		out[i] = Reason{Code: r.Code, Path: r.Path}
	}
	return out
}
