package store

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/plainfile"
)

// Names of the files of a workspace in its state directory.
const (
	snapshotFile = "snapshot.json"
	backupFile   = "snapshot.json.backup"
	journalFile  = "journal.jsonl"
	historyFile  = "history.jsonl"
	lockFile     = "lock"
)

// Everything here may hold argument values, so nobody else reads it.
const (
	fileMode fs.FileMode = 0o600
	dirMode  fs.FileMode = 0o700
)

// Store is the state directory of one workspace.
type Store struct {
	dir       string
	workspace string
}

// Open names the state of a workspace under root (for example DIR/.loadout).
// Nothing is read or made.
func Open(root, workspace string) *Store {
	dir := filepath.Join(root, Escape(workspace))
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return &Store{dir: dir, workspace: workspace}
}

// Workspace is the name of the workspace.
func (s *Store) Workspace() string { return s.workspace }

// Dir is the absolute path of the state directory.
func (s *Store) Dir() string { return s.dir }

// Read returns the snapshot and the operations that a killed run left
// unfinished; both are nil when there are none yet. It may run beside an apply:
// the journal is read before the snapshot, so that a step which ends in between
// is seen as recorded and not as lost.
func (s *Store) Read() (*engine.Snapshot, []engine.Unfinished, error) {
	j, err := readJournal(s.path(journalFile))
	if err != nil {
		return nil, nil, err
	}
	snap, _, err := s.readSnapshot()
	if err != nil {
		return nil, nil, err
	}
	return snap, unfinished(j.ops(), snap), nil
}

func (s *Store) path(name string) string { return filepath.Join(s.dir, name) }

// readIfThere reads a file; nil without an error means that there is none.
func readIfThere(path string) ([]byte, error) {
	b, err := plainfile.Read(path, plainfile.MaxRecord)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

// cause is an error without the path, for messages that name it already.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
