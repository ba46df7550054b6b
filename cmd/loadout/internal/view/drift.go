package view

import (
	"io"

	"github.com/loadoutdev/loadout/engine"
)

// drift is the section of a plan about what moved outside Loadout.
func (p *planPage) drift() {
	if len(p.plan.Drift) == 0 {
		return
	}
	p.gap()
	p.line("Changed outside Loadout")
	p.table("  ", 1, p.driftRows(p.plan.Drift))
}

func (p *page) driftRows(items []engine.DriftItem) [][]cell {
	rows := make([][]cell, len(items))
	for i := range items {
		d := &items[i]
		rows[i] = []cell{as(bad, "!"), text(p.clean(d.Model)), text(""), text(p.driftText(d))}
	}
	return rows
}

// driftText says in words how live and snapshot differ.
func (s *Screen) driftText(d *engine.DriftItem) string {
	detail, field := s.clean(d.Detail), s.clean(shortPath(d.Path))
	switch d.Code {
	case engine.ReasonProcessGone:
		return or(detail, "its process is gone")
	case engine.ReasonHung:
		return or(detail, "it is alive and does not generate")
	case engine.ReasonArtifactChanged:
		return or(detail, "the files of its weights changed since it was started")
	case engine.ReasonAnswersDifferently:
		if field == "" {
			return or(detail, "it does not answer as this model")
		}
		return "answers " + s.against(field, d)
	case engine.ReasonProcessDiffers:
		if field == "" {
			return or(detail, "the running process is not what was started")
		}
		return "runs with " + s.against(field, d)
	default:
	}
	return or(detail, string(d.Code)+" "+s.against(field, d))
}

// against puts the live value of a field beside the recorded one.
func (s *Screen) against(field string, d *engine.DriftItem) string {
	live, recorded := s.brief(d.Live, inlineMost), s.brief(d.Snapshot, inlineMost)
	if d.Live == nil {
		live = "unset"
	}
	if d.Snapshot == nil {
		recorded = "unset"
	}
	return field + " " + live + ", snapshot says " + recorded
}

// Drift writes what differs between the snapshot of a workspace and what is
// live. total is the number of recorded instances; unknown are those of them
// that could not be looked at. next is the command that comes next.
func Drift(s *Screen, workspace string, items []engine.DriftItem, total int, next string, unknown ...engine.Live) error {
	p := s.page()
	rows := p.driftRows(items)
	for i := range unknown {
		l := &unknown[i]
		rows = append(rows, []cell{as(warn, "?"), text(p.clean(l.Model)), text(""), text("could not be looked at" + after(": ", p.clean(l.Detail)))})
	}
	p.table("", 1, rows)
	drifted := map[string]bool{}
	for i := range items {
		drifted[items[i].Model] = true
	}
	switch {
	case len(drifted) > 0:
		p.linef("%d of %s drifted.%s", len(drifted), Count(total, "model"), after(" Next: ", next))
	case len(unknown) > 0:
		p.linef("No drift seen in %s, and %s could not be looked at.", p.clean(workspace), Count(len(unknown), "model"))
	case total == 0:
		p.linef("No drift: %s has nothing recorded as running.", p.clean(workspace))
	case total == 1:
		p.linef("No drift: the model that %s runs is as the snapshot says.", p.clean(workspace))
	default:
		p.linef("No drift: all %d models that %s runs are as the snapshot says.", total, p.clean(workspace))
	}
	return p.flush()
}

// driftDocument is the JSON of drift.
type driftDocument struct {
	FormatVersion string             `json:"format_version"`
	Workspace     string             `json:"workspace"`
	Drift         []engine.DriftItem `json:"drift"`
	Unknown       []unknownInstance  `json:"unknown"`
	Ignored       []engine.DriftItem `json:"ignored"`
}

type unknownInstance struct {
	Model  string `json:"model"`
	Detail string `json:"detail,omitempty"`
}

// DriftJSON writes {format_version, workspace, drift, unknown, ignored}; see
// [Drift] for unknown. Nothing is ignored so far.
func DriftJSON(w io.Writer, workspace string, items []engine.DriftItem, unknown ...engine.Live) error {
	doc := driftDocument{
		FormatVersion: FormatVersion, Workspace: workspace,
		Drift: list(items), Ignored: []engine.DriftItem{}, Unknown: []unknownInstance{},
	}
	for i := range unknown {
		doc.Unknown = append(doc.Unknown, unknownInstance{unknown[i].Model, unknown[i].Detail})
	}
	return JSON(w, doc)
}
