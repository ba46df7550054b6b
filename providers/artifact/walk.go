package artifact

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxScanDepth is how many levels below a root are looked at. Model folders lie
// at organization/name, rarely deeper.
const maxScanDepth = 8

// Kinds of artifacts.
const (
	kindDirectory = "directory"
	kindSnapshot  = "hf_snapshot"
)

// candidate is a model found by the walk, before anything of it is read.
type candidate struct {
	source        string
	revision      string
	revisionPlace string // evidence
	path          string
	kind          string
	absent        bool     // path does not exist: only a ref speaks of it
	problems      []string // seen from outside of the directory
}

// walker looks for models below the roots. It lists directories and reads
// config.json files, one after another.
type walker struct {
	ctx      context.Context
	fence    *fence
	found    []candidate
	findings []Finding
}

// plain walks one directory of a root.
func (w *walker) plain(path string, depth int, named bool) {
	if w.ctx.Err() != nil {
		return
	}
	dir, err := openFolder(w.fence, path)
	if err != nil {
		w.finding(path, err, named)
		return
	}
	switch classify(dir) {
	case model:
		w.found = append(w.found, plainCandidate(dir))
		return
	case closed:
		return
	}
	for _, e := range dir.entries {
		w.entry(filepath.Join(path, e.Name()), e, depth)
	}
}

// entry looks below one entry of a directory that is no model itself. Names
// with a leading dot are bookkeeping of tools; data sets and spaces of a hub cache
// are no models.
func (w *walker) entry(path string, e fs.DirEntry, depth int) {
	switch {
	case strings.HasPrefix(e.Name(), "."), strings.HasPrefix(e.Name(), "datasets--"), strings.HasPrefix(e.Name(), "spaces--"):
	case e.Type()&fs.ModeSymlink != 0:
		w.link(path)
	case !e.IsDir():
	case isRepo(w.fence, path):
		w.repo(filepath.Dir(path), e.Name(), "")
	case depth < maxScanDepth:
		w.plain(path, depth+1, false)
	}
}

// link reports a directory that is not entered because it lies elsewhere. One
// that lies inside a root is found there.
func (w *walker) link(path string) {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return
	}
	if _, err := w.fence.stat(path); err != nil {
		w.finding(path, err, false)
	}
}

func plainCandidate(d *folder) candidate {
	c := candidate{source: "file://" + d.path, path: d.path, kind: kindDirectory}
	if c.revision = downloadedCommit(d); c.revision != "" {
		c.revisionPlace = downloadDir + "/*.metadata"
	}
	return c
}

func (w *walker) finding(path string, err error, named bool) {
	w.findings = append(w.findings, Finding{Path: path, Problem: err.Error(), Named: named})
}
