package plainfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/loadoutdev/loadout/engine/plainfile"
)

func TestOnlyRegularFilesAreRead(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.WriteFile(at("fits"), []byte("12345678"), 0o600),
		os.WriteFile(at("large"), []byte("123456789"), 0o600),
		os.Symlink("fits", at("link")),
		syscall.Mkfifo(at("pipe"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]error{
		at("fits"): nil, at("link"): nil, at("large"): plainfile.ErrTooLarge, at("none"): fs.ErrNotExist,
		dir: plainfile.ErrDirectory, at("pipe"): plainfile.ErrSpecial, "/dev/zero": plainfile.ErrSpecial,
	} {
		content, err := plainfile.Read(path, 8)
		if !errors.Is(err, want) || (err == nil) != (string(content) == "12345678") {
			t.Errorf("%s: %q, %v; want error %v", path, content, err, want)
		}
		var named *fs.PathError
		if want != nil && (!errors.As(err, &named) || named.Path != path) {
			t.Errorf("%s: the error does not name it: %v", path, err)
		}
	}
}
