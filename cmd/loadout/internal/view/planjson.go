package view

import (
	"io"

	"github.com/hashicorp/hcl/v2"

	"github.com/loadoutdev/loadout/engine"
)

// planDocument is the JSON of a plan, described by schema/plan.schema.json: the
// plan itself with what was said about it.
type planDocument struct {
	engine.Plan
	Diagnostics []Diagnostic `json:"diagnostics"`
}

// PlanJSON writes a plan with its diagnostics. Lists are never null, except that
// the names of unchanged models are there only when the plan has them: their
// number is in summary.none. files may be nil; then diagnostics have no snippet.
func PlanJSON(w io.Writer, p *engine.Plan, diags hcl.Diagnostics, files map[string]*hcl.File) error {
	doc := planDocument{Plan: *p, Diagnostics: describe(diags, files)}
	doc.Changes = make([]engine.Change, len(p.Changes))
	for i, c := range p.Changes {
		c.Reasons, c.Fields = list(c.Reasons), withOverrides(c.Fields)
		doc.Changes[i] = c
	}
	doc.Drift, doc.GPUs, doc.Checks, doc.Inputs = list(p.Drift), list(p.GPUs), list(p.Checks), list(p.Inputs)
	return JSON(w, doc)
}

func withOverrides(fields []engine.FieldChange) []engine.FieldChange {
	out := make([]engine.FieldChange, len(fields))
	for i, f := range fields {
		f.Overrides = list(f.Overrides)
		out[i] = f
	}
	return out
}
