package engine

import (
	"cmp"
	"slices"
)

// Severity of a [Problem].
type Severity string

// Severities. An error blocks apply; a warning is shown and does not.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Problem is something wrong with the desired state, found after the language
// is done: by the merge, by a provider, by the plan. It carries the place of
// the value at fault, so that the caller can show the line.
type Problem struct {
	Severity Severity
	Code     string // stable, snake_case: unknown_argument, port_conflict, …
	Model    string // empty when it concerns the workspace
	Path     string // field at fault; empty for the whole model
	Summary  string // one line, no final full stop
	Detail   string // what to do about it
	Origin   Origin // where; Origin.File is empty when unknown
}

// AboutArguments tells whether the problem is a mistake in what a model block
// itself says of the weights and to the backend: it stands on its own, whatever
// else is wrong with the model and whether or not it is served.
func (p *Problem) AboutArguments() bool {
	switch Root(p.Path) {
	case "args", "extra_args", "generation", "source":
		return true
	}
	return false
}

// HasErrors tells whether any of the problems blocks.
func HasErrors(ps []Problem) bool {
	return slices.ContainsFunc(ps, func(p Problem) bool { return p.Severity == SeverityError })
}

// SortProblems orders by place, model, path and text, so that output does not
// depend on the order of discovery.
func SortProblems(ps []Problem) {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(a.Origin.compare(b.Origin), cmp.Compare(a.Model, b.Model),
			cmp.Compare(a.Path, b.Path), cmp.Compare(a.Summary, b.Summary))
	})
}
