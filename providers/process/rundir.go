package process

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// tmpLimit is the longest TMPDIR in which servers can make unix sockets: a
// socket path has at most 107 bytes (sun_path in linux/un.h less the final
// zero), and they add a slash and a UUID.
const tmpLimit = 107 - 1 - 36

// shortPrefix begins the name of a temporary directory outside of the launch
// directory; Remove removes nothing else there.
const shortPrefix = "loadout-"

// MakeDir makes the directory of a launch with its files (0600) and its
// temporary directory, which it returns. Where the path of the latter would be
// too long for sockets, a short directory elsewhere serves, and the name tmp in
// the launch directory is a link to it.
func MakeDir(dir string, files []engine.File) (tmp string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("launch directory: %w", err)
	}
	for _, f := range files {
		if err := writeFile(dir, f); err != nil {
			return "", err
		}
	}
	tmp = filepath.Join(dir, "tmp")
	if len(tmp) <= tmpLimit {
		if err := os.MkdirAll(tmp, 0o700); err != nil {
			return "", fmt.Errorf("launch directory: %w", err)
		}
		return tmp, nil
	}
	short, err := os.MkdirTemp("", shortPrefix)
	if err != nil {
		return "", fmt.Errorf("launch directory: %w", err)
	}
	if err := os.Symlink(short, tmp); err != nil {
		return "", errors.Join(fmt.Errorf("launch directory: %w", err), os.Remove(short))
	}
	return short, nil
}

func writeFile(dir string, f engine.File) error {
	if f.Name != filepath.Base(f.Name) || f.Name == "tmp" {
		return fmt.Errorf("launch file %q: not a plain name", f.Name)
	}
	sum := sha256.Sum256(f.Content)
	if f.SHA256 != "" && f.SHA256 != hex.EncodeToString(sum[:]) {
		return fmt.Errorf("launch file %s: its bytes are not at hand", f.Name)
	}
	if err := os.WriteFile(filepath.Join(dir, f.Name), f.Content, 0o600); err != nil {
		return fmt.Errorf("launch file: %w", err)
	}
	return nil
}

// RemoveDir removes what MakeDir made. That it is gone already is success.
func RemoveDir(dir string) error {
	tmp := filepath.Join(dir, "tmp")
	if short, err := os.Readlink(tmp); err == nil && isShort(short) {
		if err := os.RemoveAll(short); err != nil {
			return fmt.Errorf("temporary directory: %w", err)
		}
	}
	if err := os.RemoveAll(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("launch directory: %w", err)
	}
	return nil
}

// isShort guards against a link that somebody has bent to another place.
func isShort(path string) bool {
	return filepath.Dir(path) == filepath.Clean(os.TempDir()) && strings.HasPrefix(filepath.Base(path), shortPrefix)
}
