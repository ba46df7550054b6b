package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/loadoutdev/loadout/engine"
)

// Locked is the state of a workspace in the hands of the one run that may
// change it. Its methods may be called from several goroutines. The order of
// one step is:
//
//	Intent → effect (with Note as soon as it can be recognized) → Write → Result
//
// A kill between any two of them is seen by the next Read.
type Locked struct {
	store  *Store
	lock   *flock.Flock
	holder Holder
	now    func() time.Time

	mu      sync.Mutex
	journal *journal // nil before Begin and after End
	snap    *engine.Snapshot
	raw     []byte // of the snapshot as it is on disk
	seq     int64
	issued  map[string]int64 // highest launch number by model
}

// Step is an effect to be announced.
type Step struct {
	Op       engine.Op
	Model    string
	Instance engine.Instance
}

var errNotBegun = errors.New("store: no run has begun")

// Dir is the absolute path of the state directory.
func (l *Locked) Dir() string { return l.store.dir }

// Read is [Store.Read].
func (l *Locked) Read() (*engine.Snapshot, []engine.Unfinished, error) { return l.store.Read() }

// Begin opens the journal of a run of the plan with the given digest. What an
// earlier run left unfinished stays in the journal until it is settled; all
// else of it goes to the history.
func (l *Locked) Begin(plan string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.journal != nil {
		return errors.New("store: a run has begun already")
	}
	if err := l.store.sweep(); err != nil {
		return err
	}
	old, err := readJournal(l.store.path(journalFile))
	if err != nil {
		return err
	}
	if l.snap, l.raw, err = l.store.readSnapshot(); err != nil {
		return err
	}
	if err := l.store.remember(old); err != nil {
		return err
	}
	l.issued = highestLaunches(l.snap, old)
	return l.rotate(plan, old.ops())
}

// rotate replaces the journal by one that begins this run and carries over the
// open starts and stops of the earlier ones.
func (l *Locked) rotate(plan string, ops []operation) error {
	run := Run{ID: rand.Text(), Plan: plan, Who: l.holder}
	if l.snap != nil {
		run.Serial = l.snap.Serial
	}
	lines, err := encodeRecord(record{Kind: kindBegin, At: l.now(), Run: &run})
	if err != nil {
		return err
	}
	l.seq = 0
	for _, u := range unfinished(ops, l.snap) {
		if u.Op != engine.OpStart && u.Op != engine.OpStop {
			continue // the next plan sees what came of it
		}
		l.seq++
		line, err := encodeRecord(record{Kind: kindIntent, At: l.now(), Seq: l.seq, Op: u.Op,
			Model: u.Model, Instance: &u.Instance, Carried: true})
		if err != nil {
			return err
		}
		lines = append(lines, line...)
	}
	path := l.store.path(journalFile)
	if err := replace(path, lines); err != nil {
		return err
	}
	l.journal, err = openJournal(path, int64(len(lines)))
	return err
}

// Intent announces an effect; the effect may begin when it returns. The number
// is for Note and Result.
func (l *Locked) Intent(s Step) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.journal == nil {
		return 0, errNotBegun
	}
	l.seq++
	r := record{Kind: kindIntent, At: l.now(), Seq: l.seq, Op: s.Op, Model: s.Model, Instance: &s.Instance}
	return l.seq, l.journal.append(r)
}

// Note records the instance as it can be recognized now.
func (l *Locked) Note(seq int64, in engine.Instance) error {
	return l.add(record{Kind: kindNote, Seq: seq, Instance: &in})
}

// Result records how an effect ended. Of one that succeeded it is called after
// Write, so that a result means: it is in the snapshot.
func (l *Locked) Result(seq int64, failed error) error {
	r := record{Kind: kindResult, Seq: seq, OK: failed == nil}
	if failed != nil {
		r.Error = failed.Error()
	}
	return l.add(r)
}

// Gone settles an unfinished start whose instance was looked for and is not
// there.
func (l *Locked) Gone(in engine.Instance) error {
	return l.add(record{Kind: kindGone, Instance: &in})
}

func (l *Locked) add(r record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.journal == nil {
		return errNotBegun
	}
	r.At = l.now()
	return l.journal.append(r)
}

// Write edits the snapshot and puts it on disk with the next serial; the first
// one gets its lineage. edit is given a copy whose slices it may change; maps in
// it are shared and must be replaced, not changed. With an error the snapshot on
// disk and in memory is the one before.
func (l *Locked) Write(edit func(*engine.Snapshot)) (serial int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.journal == nil {
		return 0, errNotBegun
	}
	next := engine.Snapshot{Lineage: newLineage()}
	if l.snap != nil {
		next = *l.snap
		next.Models, next.Instances = slices.Clone(next.Models), slices.Clone(next.Instances)
	}
	next.FormatVersion, next.Workspace = engine.SnapshotVersion, l.store.workspace
	next.Serial++
	edit(&next)
	sortSnapshot(&next)
	if err := checkSnapshot(&next, l.store.workspace); err != nil {
		return 0, fmt.Errorf("snapshot is not written: %w", err)
	}
	raw, err := encodeSnapshot(&next)
	if err != nil {
		return 0, err
	}
	if err := l.replaceSnapshot(raw); err != nil {
		return 0, err
	}
	l.snap, l.raw = &next, raw
	return next.Serial, nil
}

// replaceSnapshot keeps the one before as the backup.
func (l *Locked) replaceSnapshot(raw []byte) error {
	if l.raw != nil {
		if err := replace(l.store.path(backupFile), l.raw); err != nil {
			return err
		}
	}
	return replace(l.store.path(snapshotFile), raw)
}

// End closes the run. The journal stays as it is until the next one begins.
func (l *Locked) End() error {
	if err := l.add(record{Kind: kindEnd}); err != nil {
		return err
	}
	return l.closeJournal()
}

func (l *Locked) closeJournal() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.journal == nil {
		return nil
	}
	err := l.journal.file.Close()
	l.journal = nil
	return err
}

// Close gives the lock back. Without End before it the run counts as
// interrupted.
func (l *Locked) Close() error {
	err := l.closeJournal()
	return errors.Join(err, os.Truncate(l.lock.Path(), 0), l.lock.Close())
}

// newLineage is a random UUID (version 4, RFC 9562).
func newLineage() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
