package store

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/loadoutdev/loadout/engine"
)

// Workspaces names the workspaces that have a snapshot under root, sorted. A
// root that does not exist has none.
func Workspaces(root string) ([]string, error) {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		path := filepath.Join(root, e.Name(), snapshotFile)
		raw, err := readIfThere(path)
		if err != nil || raw == nil {
			continue // not a state directory, or not ours to read: -w will say why
		}
		var doc struct {
			Workspace string `json:"workspace"`
		}
		if err := json.Unmarshal(raw, &doc); err != nil {
			return nil, &SnapshotError{path, backupIn(filepath.Dir(path)), notSnapshot(engine.PlainJSON(err))}
		}
		names = append(names, cmp.Or(doc.Workspace, e.Name()))
	}
	slices.Sort(names)
	return names, nil
}
