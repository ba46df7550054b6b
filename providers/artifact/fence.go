package artifact

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// maxEntries bounds one directory listing; the largest caches hold thousands.
const maxEntries = 200_000

// fence confines reading to the directories that are scanned. A link is
// followed when it ends inside any of them. The final open goes through
// [os.Root] with a resolved path, so that a link put in place between the check
// and the open does not lead out either.
type fence struct {
	roots []fenced
}

type fenced struct {
	real string // without links
	dir  *os.Root
}

// An accessError says in words why a file was not read. Its text continues a
// sentence that begins with the file's name: "is missing".
type accessError struct {
	reason string
	err    error
}

func (e *accessError) Error() string { return e.reason }
func (e *accessError) Unwrap() error { return e.err }

// Causes to test for. Everything else is an accessError of its own.
var (
	errDangling = errors.New("dangling link")
	errOutside  = errors.New("outside")
)

// add allows reading below path, which may itself be a link.
func (f *fence) add(path string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return explainAccess(path, err)
	}
	if info, err := os.Stat(real); err == nil && !info.IsDir() {
		return &accessError{"is not a directory", syscall.ENOTDIR}
	}
	dir, err := os.OpenRoot(real)
	if err != nil {
		return explainAccess(path, err)
	}
	f.roots = append(f.roots, fenced{real, dir})
	return nil
}

func (f *fence) close() {
	for _, r := range f.roots {
		r.dir.Close()
	}
}

// locate resolves all links of path and finds the root that it ends in.
func (f *fence) locate(path string) (*os.Root, string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, "", explainAccess(path, err)
	}
	for _, r := range f.roots {
		if rel, err := filepath.Rel(r.real, real); err == nil && filepath.IsLocal(rel) {
			return r.dir, rel, nil
		}
	}
	reason := fmt.Sprintf("leads to %s, outside what is scanned (scan that directory too)", real)
	return nil, "", &accessError{reason, errOutside}
}

// stat describes what path leads to, which need not be a regular file.
func (f *fence) stat(path string) (fs.FileInfo, error) {
	root, rel, err := f.locate(path)
	if err != nil {
		return nil, err
	}
	info, err := root.Stat(rel)
	if err != nil {
		return nil, explainAccess(path, err)
	}
	return info, nil
}

// open opens a regular file for reading; nothing else is ever opened.
func (f *fence) open(path string) (*os.File, int64, error) {
	root, rel, err := f.locate(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := root.Stat(rel)
	if err != nil {
		return nil, 0, explainAccess(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, 0, &accessError{reason: "is not a regular file"}
	}
	// O_NONBLOCK: should a pipe take the file's place now, the open returns.
	file, err := root.OpenFile(rel, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, explainAccess(path, err)
	}
	if info, err = file.Stat(); err != nil || !info.Mode().IsRegular() {
		file.Close()
		return nil, 0, &accessError{"is not a regular file", err}
	}
	return file, info.Size(), nil
}

// read returns the whole of a file that has at most limit bytes.
func (f *fence) read(path string, limit int64) ([]byte, error) {
	file, size, err := f.open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if size > limit {
		return nil, &accessError{reason: fmt.Sprintf("has %d bytes; at most %d are read", size, limit)}
	}
	data, err := io.ReadAll(io.LimitReader(file, limit))
	if err != nil {
		return nil, explainAccess(path, err)
	}
	return data, nil
}

// readDir lists a directory, sorted by name.
func (f *fence) readDir(path string) ([]fs.DirEntry, error) {
	root, rel, err := f.locate(path)
	if err != nil {
		return nil, err
	}
	dir, err := root.OpenFile(rel, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, explainAccess(path, err)
	}
	defer dir.Close()
	entries, err := dir.ReadDir(maxEntries + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, explainAccess(path, err)
	}
	if len(entries) > maxEntries {
		return nil, &accessError{reason: fmt.Sprintf("has more than %d entries", maxEntries)}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// explainAccess puts the operating system's error into words.
func explainAccess(path string, err error) error {
	_, missing := os.Lstat(path)
	_, target := os.Stat(path)
	switch {
	case errors.Is(missing, fs.ErrNotExist):
		return &accessError{"is missing", fs.ErrNotExist}
	case errors.Is(target, syscall.ELOOP):
		return &accessError{"is a link that leads to itself", err}
	case errors.Is(target, fs.ErrNotExist):
		return &accessError{"is a link to nothing", errDangling}
	case errors.Is(err, fs.ErrPermission):
		return &accessError{"cannot be read: permission denied", fs.ErrPermission}
	case errors.Is(err, syscall.ENOTDIR):
		return &accessError{"is not a directory", err}
	}
	return &accessError{"cannot be read: " + cause(err), err}
}

// cause drops operation and path, which the reader of the message has already.
func cause(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}
