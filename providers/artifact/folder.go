package artifact

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxConfig bounds every small side file that is read whole (bytes).
const maxConfig = 10 << 20

// folder is one directory with the names in it; files are read through the fence.
type folder struct {
	fence   *fence
	path    string
	entries []fs.DirEntry // sorted by name
	byName  map[string]fs.DirEntry
}

func openFolder(f *fence, path string) (*folder, error) {
	entries, err := f.readDir(path)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]fs.DirEntry, len(entries))
	for _, e := range entries {
		byName[e.Name()] = e
	}
	return &folder{fence: f, path: path, entries: entries, byName: byName}, nil
}

// has tells whether there is an entry of that name, even one that leads nowhere.
func (d *folder) has(name string) bool { return d.byName[name] != nil }

// match lists the entries that are no directories and that keep accepts.
func (d *folder) match(keep func(name string) bool) []string {
	var names []string
	for _, e := range d.entries {
		if !e.IsDir() && keep(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names
}

// open opens a file of the folder. A Git LFS pointer is not the file.
func (d *folder) open(name string) (*os.File, int64, error) {
	file, size, err := d.fence.open(filepath.Join(d.path, name))
	if err != nil {
		return nil, 0, err
	}
	if size <= maxPointer {
		head := make([]byte, size)
		if n, _ := file.ReadAt(head, 0); isPointer(head[:n]) {
			file.Close()
			return nil, 0, &accessError{reason: "is a Git LFS pointer, not the file itself (run git lfs pull)"}
		}
	}
	return file, size, nil
}

// read returns a small file.
func (d *folder) read(name string, limit int64) ([]byte, error) {
	data, err := d.fence.read(filepath.Join(d.path, name), limit)
	if err == nil && len(data) <= maxPointer && isPointer(data) {
		return nil, &accessError{reason: "is a Git LFS pointer, not the file itself (run git lfs pull)"}
	}
	return data, err
}

// object reads a JSON object; nil without error when there is no such file.
func (d *folder) object(name string) (object, error) {
	if !d.has(name) {
		return nil, nil
	}
	data, err := d.read(name, maxConfig)
	if err != nil {
		return nil, err
	}
	return decodeObject(data)
}

// usable tells why a file of the folder could not be served from, if so.
func (d *folder) usable(name string) error {
	file, size, err := d.open(name)
	if err != nil {
		return err
	}
	file.Close()
	if size == 0 {
		return &accessError{reason: "is empty"}
	}
	return nil
}

// maxPointer is above the size of any Git LFS pointer file (about 130 bytes).
const maxPointer = 1024

// isPointer recognizes the text that git leaves in place of a file when the
// LFS extension did not run (git-lfs spec v1).
func isPointer(data []byte) bool {
	return bytes.HasPrefix(data, []byte("version https://git-lfs.github.com/spec/v"))
}

func hasSuffix(suffix string) func(string) bool {
	return func(name string) bool { return strings.HasSuffix(name, suffix) }
}
