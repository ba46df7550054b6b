// Package plainfile reads whole files that people or programs hand to Loadout.
// It never waits for anybody (a named pipe), never reads without end (a
// device) and never fills the memory: what is not a regular file of a bounded
// size is an error that says so.
package plainfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Bounds of what is read at once, in bytes.
const (
	// MaxText bounds what people write: configuration, values, templates.
	MaxText = 16 << 20
	// MaxRecord bounds what Loadout writes: a plan of 10,000 models takes
	// about 50 MB.
	MaxRecord = 512 << 20
)

// Reasons for which a file is not read, besides those of package fs.
var (
	ErrDirectory = errors.New("is a directory, not a file")
	ErrSpecial   = errors.New("is not a regular file")
	ErrTooLarge  = errors.New("is too large")
)

// Read returns the content of a regular file of at most limit bytes; links are
// followed. The errors are *fs.PathError, also around those of this package.
func Read(path string, limit int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(content)) > limit {
		err = wrong(path, fmt.Errorf("%w: at most %d MiB are read", ErrTooLarge, limit>>20))
	}
	if err != nil {
		return nil, err
	}
	return content, nil
}

// Open opens a regular file for reading. It looks before it opens, because to
// open a named pipe is to wait, and to open a device may do something.
func Open(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	switch {
	case info.IsDir():
		return nil, wrong(path, ErrDirectory)
	case !info.Mode().IsRegular():
		return nil, wrong(path, ErrSpecial)
	}
	return os.Open(path)
}

func wrong(path string, err error) error { return &fs.PathError{Op: "read", Path: path, Err: err} }
