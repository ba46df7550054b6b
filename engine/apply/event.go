package apply

import (
	"strings"
	"sync"

	"github.com/loadoutdev/loadout/engine"
)

// Kind of an event.
type Kind string

// Kinds of events. Done, ChangeFailed and WasPutBack are the last of a change.
const (
	Waiting      Kind = "waiting"  // another change of its lane comes first; Detail says for what
	Started      Kind = "started"  // the change begins
	Progressing  Kind = "progress" // Progress says how far
	Done         Kind = "done"
	ChangeFailed Kind = "failed"   // Detail says why
	WasPutBack   Kind = "put_back" // Detail says why it had to be
)

// Event is one thing that happened during a run.
type Event struct {
	Model    string
	Action   engine.Action
	Kind     Kind
	Detail   string
	Progress engine.Progress
	Seconds  float64 // since the change began
	Expected float64 // seconds that its last start took; 0: never timed
}

// emitter hands events over one at a time.
type emitter struct {
	mu   sync.Mutex
	send func(Event)
}

func (e *emitter) emit(ev Event) {
	if e.send == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.send(ev)
}

func waitsFor(c, first *engine.Change) string {
	if len(c.GPUs) > 0 {
		return "waits for GPU " + strings.Join(c.GPUs, ", ")
	}
	return "waits for " + first.Model
}
