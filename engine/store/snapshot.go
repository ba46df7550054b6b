package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/plainfile"
)

// SnapshotError is a snapshot that cannot be used. Loadout does not go on
// without it: what it records may still run.
type SnapshotError struct {
	Path   string // of the snapshot
	Backup string // of the backup; empty when there is none
	Err    error
}

func (e *SnapshotError) Error() string {
	return fmt.Sprintf("snapshot %s cannot be used: %v. %s", e.Path, e.Err, e.way())
}

// way is what can be done about it.
func (e *SnapshotError) way() string {
	if e.Backup == "" {
		return "There is no backup. If nothing of this workspace runs any more, move it away to begin anew."
	}
	first := ""
	if errors.Is(e.Err, plainfile.ErrDirectory) || errors.Is(e.Err, plainfile.ErrSpecial) {
		first = "move it away, then "
	}
	return fmt.Sprintf("The one before it is %s. To go back to it: %scp %s %s, then look at the plan.",
		e.Backup, first, quote(e.Backup), quote(e.Path))
}

func (e *SnapshotError) Unwrap() error { return e.Err }

// quote makes a path safe to paste into a shell.
func quote(path string) string {
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// readSnapshot returns the snapshot and its bytes; nil when there was never one.
func (s *Store) readSnapshot() (*engine.Snapshot, []byte, error) {
	path, backup := s.path(snapshotFile), backupIn(s.dir)
	raw, err := plainfile.Read(path, plainfile.MaxRecord)
	if errors.Is(err, fs.ErrNotExist) && backup == "" {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, &SnapshotError{path, backup, cause(err)}
	}
	snap, err := decodeSnapshot(raw, s.workspace)
	if err != nil {
		return nil, nil, &SnapshotError{path, backup, err}
	}
	return snap, raw, nil
}

// backupIn is the backup in a state directory; empty when there is none.
func backupIn(dir string) string {
	path := filepath.Join(dir, backupFile)
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// decodeSnapshot reads and checks a snapshot. Fields that it does not know are
// passed over: a later minor version may have written them.
func decodeSnapshot(raw []byte, workspace string) (*engine.Snapshot, error) {
	var head struct {
		FormatVersion string `json:"format_version"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return nil, notSnapshot(engine.PlainJSON(err))
	}
	if major(head.FormatVersion) != major(engine.SnapshotVersion) {
		return nil, fmt.Errorf("format_version is %q, this version of Loadout reads %s.x",
			head.FormatVersion, major(engine.SnapshotVersion))
	}
	var snap engine.Snapshot
	if err := decode(raw, &snap); err != nil {
		return nil, notSnapshot(err)
	}
	if err := normalizeSnapshot(&snap); err != nil {
		return nil, notSnapshot(err)
	}
	return &snap, checkSnapshot(&snap, workspace)
}

func notSnapshot(err error) error { return fmt.Errorf("%s is not a snapshot: %w", snapshotFile, err) }

func checkSnapshot(s *engine.Snapshot, workspace string) error {
	switch {
	case s.Lineage == "":
		return errors.New("lineage is empty")
	case s.Serial < 1:
		return fmt.Errorf("serial is %d, the first one is 1", s.Serial)
	case s.Workspace != workspace:
		return fmt.Errorf("it belongs to workspace %q, not to %q", s.Workspace, workspace)
	}
	seen := map[string]bool{}
	for _, m := range s.Models {
		if seen[m.Name] {
			return fmt.Errorf("model %q is there twice", m.Name)
		}
		seen[m.Name] = true
	}
	clear(seen)
	for _, in := range s.Instances {
		if seen[in.Model] {
			return fmt.Errorf("model %q has two instances", in.Model)
		}
		seen[in.Model] = true
	}
	return nil
}

func major(version string) string {
	m, _, _ := strings.Cut(version, ".")
	return m
}

// encodeSnapshot is the inverse of decodeSnapshot: canonical, for people to read.
func encodeSnapshot(s *engine.Snapshot) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(s); err != nil {
		return nil, fmt.Errorf("snapshot of workspace %q: %w", s.Workspace, err)
	}
	return buf.Bytes(), nil
}

// sortSnapshot gives models and instances the order that the format promises.
func sortSnapshot(s *engine.Snapshot) {
	slices.SortFunc(s.Models, func(a, b engine.Entry) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(s.Instances, func(a, b engine.Instance) int { return strings.Compare(a.Model, b.Model) })
}
