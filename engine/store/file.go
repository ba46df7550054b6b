package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// replace puts content in the place of a file: all of it or nothing, and on
// disk when it returns. The temporary file lies beside it, so that the rename
// never crosses a file system and a full disk leaves the old file as it was.
func replace(path string, content []byte) error {
	dir := filepath.Dir(path)
	if err := renameio.WriteFile(path, content, fileMode,
		renameio.WithTempDir(dir), renameio.WithStaticPermissions(fileMode)); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return syncDir(dir)
}

// syncDir makes a rename survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}

// sweep removes temporary files of a run that was killed while it replaced a
// file. Only the holder of the lock may call it.
func (s *Store) sweep() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		for _, name := range []string{snapshotFile, journalFile, historyFile} {
			if !strings.HasPrefix(e.Name(), "."+name) {
				continue
			}
			if err := os.Remove(s.path(e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
