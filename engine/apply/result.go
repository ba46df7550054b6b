package apply

import "github.com/loadoutdev/loadout/engine"

// Status of a change when the run is over.
type Status string

// Statuses.
const (
	Applied    Status = "applied"
	Failed     Status = "failed"      // Err says why; Detail what runs now
	PutBack    Status = "put_back"    // it failed, or its unit did; what ran before runs again
	Skipped    Status = "skipped"     // the plan itself holds it back
	NotStarted Status = "not_started" // Detail says why
)

// Outcome of one change.
type Outcome struct {
	Model   string
	Action  engine.Action
	Status  Status
	Detail  string // one line for people
	Err     error  // of the change, also when it was put back
	Seconds float64
	Pid     int    // of what runs now; 0: nothing, or no process
	Log     string // of the launch that matters, relative to the state directory
	Start   *engine.StartError
}

// Result of a run: one outcome for each change, in the order of the plan.
type Result struct {
	Outcomes    []Outcome
	Interrupted bool  // something was left out, or broken off, by an interrupt
	Serial      int64 // of the snapshot that says what runs now; 0: none
}

// OK tells whether everything was done.
func (r *Result) OK() bool {
	for i := range r.Outcomes {
		if r.Outcomes[i].Status != Applied {
			return false
		}
	}
	return true
}

func (r *runner) report(o Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcomes[o.Model] = o
}

func (r *runner) result(plan *engine.Plan) *Result {
	res := &Result{Interrupted: r.held, Serial: r.ledger.lastSerial()}
	for i := range plan.Changes {
		res.Outcomes = append(res.Outcomes, r.outcomes[plan.Changes[i].Model])
	}
	return res
}
