package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

// historyLimit bounds history.jsonl; older runs are dropped.
const historyLimit = 200

// Past is a run that is over, or was killed, or (the last one) is under way.
type Past struct {
	Run
	Start time.Time  `json:"start"`
	End   *time.Time `json:"end,omitempty"` // nil: it never said that it ended
	Steps []PastStep `json:"steps"`
}

// PastStep is one effect of a run.
type PastStep struct {
	Op    engine.Op `json:"op"`
	Model string    `json:"model"`
	Done  bool      `json:"done"` // it has a result
	Error string    `json:"error,omitempty"`
}

// History lists the runs, oldest first, with the one that is in the journal
// last. At most the last 200 are kept.
func (s *Store) History() ([]Past, error) {
	past, err := s.readHistory()
	if err != nil {
		return nil, err
	}
	j, err := readJournal(s.path(journalFile))
	if err != nil {
		return nil, err
	}
	return withRun(past, j), nil
}

// readHistory passes over lines that it cannot read: the history is for people,
// nothing is decided by it.
func (s *Store) readHistory() ([]Past, error) {
	raw, err := readIfThere(s.path(historyFile))
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	var past []Past
	for line := range bytes.Lines(raw) {
		var p Past
		if json.Unmarshal(line, &p) == nil && p.ID != "" {
			past = append(past, p)
		}
	}
	return past, nil
}

// remember moves the run of a journal to the history. Doing it twice, because a
// kill came between it and the new journal, changes nothing.
func (s *Store) remember(j records) error {
	past, err := s.readHistory()
	if err != nil {
		return err
	}
	all := withRun(past, j)
	if len(all) == len(past) {
		return nil
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	for _, p := range all[max(0, len(all)-historyLimit):] {
		if err := enc.Encode(p); err != nil {
			return fmt.Errorf("history: %w", err)
		}
	}
	return replace(s.path(historyFile), buf.Bytes())
}

// withRun adds the run of a journal unless it is the last one already.
func withRun(past []Past, j records) []Past {
	if len(j) == 0 || j[0].Kind != kindBegin {
		return past
	}
	if n := len(past); n > 0 && past[n-1].ID == j[0].Run.ID {
		return past
	}
	p := Past{Run: *j[0].Run, Start: j[0].At, Steps: []PastStep{}}
	if last := j[len(j)-1]; last.Kind == kindEnd {
		p.End = &last.At
	}
	for _, o := range j.ops() {
		if !o.carried {
			p.Steps = append(p.Steps, PastStep{o.op, o.model, o.done, o.err})
		}
	}
	return append(past, p)
}
