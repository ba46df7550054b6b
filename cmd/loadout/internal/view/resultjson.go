package view

import (
	"io"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/apply"
)

// resultSummary counts outcomes by status.
type resultSummary struct {
	Applied    int `json:"applied"`
	Failed     int `json:"failed"`
	PutBack    int `json:"put_back"`
	Skipped    int `json:"skipped"`
	NotStarted int `json:"not_started"`
}

func summarize(r *apply.Result) resultSummary {
	var n resultSummary
	for i := range r.Outcomes {
		switch r.Outcomes[i].Status {
		case apply.Applied:
			n.Applied++
		case apply.Failed:
			n.Failed++
		case apply.PutBack:
			n.PutBack++
		case apply.Skipped:
			n.Skipped++
		case apply.NotStarted:
			n.NotStarted++
		}
	}
	return n
}

// resultDocument is the JSON of apply and destroy.
type resultDocument struct {
	FormatVersion string          `json:"format_version"`
	Workspace     string          `json:"workspace"`
	PlanDigest    string          `json:"plan_digest"`
	Serial        int64           `json:"serial"` // of the snapshot that says what runs now
	Interrupted   bool            `json:"interrupted"`
	Outcomes      []outcomeObject `json:"outcomes"`
	Summary       resultSummary   `json:"summary"`
}

type outcomeObject struct {
	Model   string        `json:"model"`
	Action  engine.Action `json:"action"`
	Status  apply.Status  `json:"status"`
	Detail  string        `json:"detail,omitempty"`
	Error   string        `json:"error,omitempty"`
	Seconds float64       `json:"seconds"`
	Pid     int           `json:"pid,omitempty"`
	Log     string        `json:"log,omitempty"` // relative to the state directory
	Cause   *startCause   `json:"cause,omitempty"`
}

type startCause struct {
	Class  string `json:"class"`
	Cause  string `json:"cause"`
	Hint   string `json:"hint,omitempty"`
	Field  string `json:"field,omitempty"`
	Status string `json:"status,omitempty"`
}

// ApplyJSON writes {format_version, workspace, plan_digest, serial, interrupted,
// outcomes, summary}.
func ApplyJSON(w io.Writer, plan *engine.Plan, r *apply.Result) error {
	doc := resultDocument{
		FormatVersion: FormatVersion, Workspace: plan.Workspace, PlanDigest: plan.Digest,
		Serial: r.Serial, Interrupted: r.Interrupted, Outcomes: make([]outcomeObject, len(r.Outcomes)), Summary: summarize(r),
	}
	for i := range r.Outcomes {
		doc.Outcomes[i] = outcomeJSON(&r.Outcomes[i])
	}
	return JSON(w, doc)
}

func outcomeJSON(o *apply.Outcome) outcomeObject {
	out := outcomeObject{Model: o.Model, Action: o.Action, Status: o.Status, Detail: o.Detail, Seconds: o.Seconds, Pid: o.Pid, Log: logOf(o)}
	if o.Err != nil {
		out.Error = o.Err.Error()
	}
	if s := o.Start; s != nil {
		out.Cause = &startCause{s.Class, s.Cause, s.Hint, s.Field, s.Status}
	}
	return out
}
