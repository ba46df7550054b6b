package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

// kind of a journal record.
type kind string

const (
	kindBegin  kind = "begin"  // a run starts; the first record of a journal
	kindIntent kind = "intent" // an effect will be tried
	kindNote   kind = "note"   // the instance can be recognized now
	kindResult kind = "result" // the effect is over and, where it worked, in the snapshot
	kindGone   kind = "gone"   // what an earlier run started was looked for and is not there
	kindEnd    kind = "end"    // the run is over
)

// record is one line of the journal. Every line is on disk before the effect
// that it announces begins.
type record struct {
	Kind     kind             `json:"kind"`
	At       time.Time        `json:"at"`
	Run      *Run             `json:"run,omitempty"`
	Seq      int64            `json:"seq,omitempty"`
	Op       engine.Op        `json:"op,omitempty"`
	Model    string           `json:"model,omitempty"`
	Instance *engine.Instance `json:"instance,omitempty"`
	Carried  bool             `json:"carried,omitempty"` // intent of an earlier run that is still open
	OK       bool             `json:"ok,omitempty"`
	Error    string           `json:"error,omitempty"`
}

// Run is one run of a command that changes things.
type Run struct {
	ID     string `json:"id"`
	Plan   string `json:"plan"`   // digest of the plan
	Serial int64  `json:"serial"` // of the snapshot that it started from; 0: none
	Who    Holder `json:"who"`
}

// encodeRecord gives the line of a record, with its end of line.
func encodeRecord(r record) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return nil, fmt.Errorf("journal record %s: %w", r.Kind, err)
	}
	return buf.Bytes(), nil
}

// journal appends to the journal of the run that holds the lock.
type journal struct {
	file   *os.File
	size   int64 // bytes that are known to be whole records
	broken error // set when the file may end in half a record: nothing more is tried
}

// openJournal opens a journal whose content is whole.
func openJournal(path string, size int64) (*journal, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, err
	}
	return &journal{file: f, size: size}, nil
}

// append writes one record and waits for the disk. A record that could not be
// written whole is taken back, so that the journal stays readable.
func (j *journal) append(r record) error {
	if j.broken != nil {
		return j.broken
	}
	line, err := encodeRecord(r)
	if err != nil {
		return err
	}
	if _, err := j.file.Write(line); err != nil {
		if undo := j.file.Truncate(j.size); undo != nil {
			j.broken = fmt.Errorf("journal %s is damaged: %w", j.file.Name(), undo)
		}
		return fmt.Errorf("journal: %w", err)
	}
	if err := j.file.Sync(); err != nil {
		// After a failed sync nobody can tell what is on the disk.
		j.broken = fmt.Errorf("journal: %w", err)
		return j.broken
	}
	j.size += int64(len(line))
	return nil
}
