package artifact

import (
	"path/filepath"
	"slices"
	"strings"
)

// brokenBlobs lists downloads of a repository that are not finished. Names are
// ETAG.incomplete or ETAG.RANDOM.incomplete; when the blob itself is there, the
// file is a leftover.
func (w *walker) brokenBlobs(repo string) []string {
	entries, err := w.fence.readDir(filepath.Join(repo, "blobs"))
	if err != nil {
		return nil // snapshots that hold real files have no blobs
	}
	whole := map[string]bool{}
	for _, e := range entries {
		whole[e.Name()] = true
	}
	var broken []string
	for _, e := range entries {
		etag, _, _ := strings.Cut(e.Name(), ".")
		if strings.HasSuffix(e.Name(), ".incomplete") && !whole[etag] {
			broken = append(broken, "blobs/"+e.Name())
		}
	}
	return broken
}

func (w *walker) hasBlobs(repo string) bool {
	entries, err := w.fence.readDir(filepath.Join(repo, "blobs"))
	return err == nil && len(entries) > 0
}

// blame adds unfinished blobs to the snapshot that a download works on: nothing
// says which one that is, so it is the one of refs/main, or else all of them.
func (w *walker) blame(snapshots []candidate, broken []string) {
	current := slices.IndexFunc(snapshots, func(c candidate) bool { return hasRef(c.revisionPlace, mainRef) })
	for i := range snapshots {
		if current >= 0 && i != current {
			continue
		}
		for _, name := range broken {
			snapshots[i].problems = append(snapshots[i].problems,
				name+": a download is running or broke off (finish it, or delete this file)")
		}
	}
}
