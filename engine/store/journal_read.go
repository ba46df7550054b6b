package store

import (
	"bytes"
	"fmt"

	"github.com/loadoutdev/loadout/engine"
)

// JournalError is a journal that cannot be read, or one with a line that cannot
// although others follow it: not the trace of a kill, but damage.
type JournalError struct {
	Path string
	Line int // counted from 1; 0: all of it
	Err  error
}

func (e *JournalError) Error() string {
	where := e.Path
	if e.Line > 0 {
		where += fmt.Sprintf(" line %d", e.Line)
	}
	return fmt.Sprintf("journal %s cannot be read: %v. It says what an interrupted run may have left running: "+
		"stop that by hand or make sure that there is nothing, then move it away", where, e.Err)
}

func (e *JournalError) Unwrap() error { return e.Err }

// records of one journal, in order.
type records []record

func readJournal(path string) (records, error) {
	raw, err := readIfThere(path)
	if err != nil {
		return nil, &JournalError{Path: path, Err: cause(err)}
	}
	return parseJournal(path, raw)
}

// parseJournal reads the lines of a journal. The last one may be torn, because
// a run may be killed in the middle of writing it; what it would have announced
// had not begun, and what it would have reported is found by looking.
func parseJournal(path string, raw []byte) (records, error) {
	var out records
	for n := 1; len(raw) > 0; n++ {
		line, rest, whole := bytes.Cut(raw, []byte("\n"))
		raw = rest
		if !whole {
			break
		}
		r, err := parseRecord(line)
		if err != nil && len(rest) == 0 {
			break
		}
		if err != nil {
			return nil, &JournalError{path, n, err}
		}
		out = append(out, r)
	}
	return out, nil
}

func parseRecord(line []byte) (record, error) {
	var r record
	if err := decode(line, &r); err != nil {
		return r, err
	}
	if r.Instance != nil {
		if err := normalizeInstance(r.Instance); err != nil {
			return r, err
		}
	}
	return r, r.check()
}

// check refuses a record that lacks what its kind needs.
func (r *record) check() error {
	switch {
	case r.Kind == "":
		return fmt.Errorf("no kind")
	case r.Kind == kindBegin && r.Run == nil:
		return fmt.Errorf("%s without a run", r.Kind)
	case (r.Kind == kindIntent || r.Kind == kindNote || r.Kind == kindGone) && r.Instance == nil:
		return fmt.Errorf("%s without an instance", r.Kind)
	}
	return nil
}

// operation is an intent with all that followed it.
type operation struct {
	seq      int64
	op       engine.Op
	model    string
	instance engine.Instance // as last noted
	done     bool            // there is a result
	ok       bool
	err      string
	carried  bool
}

// ops puts together what belongs together. An instance that was looked for and
// is gone ends its start as a failure.
func (rs records) ops() []operation {
	var ops []operation
	at := map[int64]int{}
	for _, r := range rs {
		i, known := at[r.Seq]
		switch {
		case r.Kind == kindIntent:
			at[r.Seq] = len(ops)
			ops = append(ops, operation{seq: r.Seq, op: r.Op, model: r.Model, instance: *r.Instance, carried: r.Carried})
		case r.Kind == kindNote && known:
			ops[i].instance = *r.Instance
		case r.Kind == kindResult && known:
			ops[i].done, ops[i].ok, ops[i].err = true, r.OK, r.Error
		case r.Kind == kindGone:
			for k := range ops {
				if ops[k].op == engine.OpStart && same(&ops[k].instance, r.Instance) {
					ops[k].done, ops[k].ok = true, false
				}
			}
		}
	}
	return ops
}
