package artifact

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// The layout of a hub cache, one folder for each repository:
//
//	models--org--name/blobs/ETAG                 file contents
//	models--org--name/refs/main                  text: a commit
//	models--org--name/snapshots/COMMIT/FILE      link to a blob
const (
	repoPrefix   = "models--"
	snapshotsDir = "snapshots"
)

// Bounds of a repository's refs.
const (
	maxRef      = 4096 // bytes of one ref file
	maxRefDepth = 4
)

// isRepo tells whether path is the folder of a model in a hub cache.
func isRepo(f *fence, path string) bool {
	if !strings.HasPrefix(filepath.Base(path), repoPrefix) {
		return false
	}
	for _, name := range []string{snapshotsDir, "refs", "blobs"} {
		if info, err := f.stat(filepath.Join(path, name)); err == nil && info.IsDir() {
			return true
		}
	}
	return false
}

// repoID turns models--org--name into org/name. Names without an organization
// exist (models--gpt2).
func repoID(folder string) string {
	return strings.Replace(strings.TrimPrefix(folder, repoPrefix), "--", "/", 1)
}

// splitRepo finds the repository of a hub cache that path lies in: the cache,
// the repository's folder and, when path goes that deep, the snapshot.
func splitRepo(path string) (cache, repo, commit string, ok bool) {
	parts := strings.Split(path, string(filepath.Separator))
	at := slices.IndexFunc(parts, func(p string) bool { return strings.HasPrefix(p, repoPrefix) })
	if at < 0 {
		return "", "", "", false
	}
	if len(parts) > at+2 && parts[at+1] == snapshotsDir {
		commit = parts[at+2]
	}
	return strings.Join(parts[:at], string(filepath.Separator)), parts[at], commit, true
}

// cache walks a hub cache.
func (w *walker) cache(root string, named bool) {
	entries, err := w.fence.readDir(root)
	if err != nil {
		w.finding(root, err, named)
		return
	}
	for _, e := range entries {
		path := filepath.Join(root, e.Name())
		switch {
		case !strings.HasPrefix(e.Name(), repoPrefix):
		case e.IsDir():
			w.repo(root, e.Name(), "")
		case e.Type()&fs.ModeSymlink != 0:
			w.link(path)
		}
	}
}

// repo adds the snapshots of one repository, all or only the one named.
func (w *walker) repo(root, folder, only string) {
	if w.ctx.Err() != nil {
		return
	}
	path := filepath.Join(root, folder)
	refs := w.refs(path)
	entries, err := w.fence.readDir(filepath.Join(path, snapshotsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.finding(filepath.Join(path, snapshotsDir), err, false)
		return
	}
	present := map[string]bool{}
	before := len(w.found)
	for _, e := range entries {
		present[e.Name()] = true
		if e.IsDir() && (only == "" || only == e.Name()) {
			w.snapshot(path, e.Name(), refs[e.Name()])
		}
	}
	broken := w.brokenBlobs(path)
	w.blame(w.found[before:], broken)
	if only == "" && (len(w.found) > before || len(present) == 0 && w.hasBlobs(path)) {
		w.absent(path, refs, present)
	}
}

// snapshot adds one commit of a repository if it holds a model.
func (w *walker) snapshot(repo, commit string, refs []string) {
	path := filepath.Join(repo, snapshotsDir, commit)
	dir, err := openFolder(w.fence, path)
	if err != nil {
		w.finding(path, err, false)
		return
	}
	if classify(dir) == model {
		w.found = append(w.found, snapshotCandidate(repo, commit, refs))
	}
}

func snapshotCandidate(repo, commit string, refs []string) candidate {
	c := candidate{
		source: "hf://" + repoID(filepath.Base(repo)), revision: commit,
		path: filepath.Join(repo, snapshotsDir, commit), kind: kindSnapshot,
		revisionPlace: snapshotsDir + "/" + commit,
	}
	if len(refs) > 0 {
		c.revisionPlace = strings.Join(refs, refSeparator)
	}
	return c
}

// absent adds an incomplete artifact for each commit that a ref names and that
// was never downloaded, or was deleted.
func (w *walker) absent(repo string, refs map[string][]string, present map[string]bool) {
	for _, commit := range sortedKeys(refs) {
		if present[commit] {
			continue
		}
		c := snapshotCandidate(repo, commit, refs[commit])
		c.absent = true
		c.problems = []string{refs[commit][0] + " names commit " + commit + ", of which there is no snapshot (download it again)"}
		w.found = append(w.found, c)
	}
}

// refs maps each commit to the refs that name it, as refs/main, sorted.
func (w *walker) refs(repo string) map[string][]string {
	found := map[string][]string{}
	var walk func(rel string, depth int)
	walk = func(rel string, depth int) {
		entries, err := w.fence.readDir(filepath.Join(repo, rel))
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				w.finding(filepath.Join(repo, rel), err, false)
			}
			return
		}
		for _, e := range entries {
			at := path.Join(rel, e.Name())
			if e.IsDir() {
				if depth < maxRefDepth {
					walk(at, depth+1)
				}
				continue
			}
			if commit := w.ref(filepath.Join(repo, at)); commit != "" {
				found[commit] = append(found[commit], at)
			}
		}
	}
	walk("refs", 0)
	return found
}

// ref reads one ref. A value that is no plain name could lead elsewhere.
func (w *walker) ref(path string) string {
	data, err := w.fence.read(path, maxRef)
	if err != nil {
		w.finding(path, err, false)
		return ""
	}
	commit := strings.TrimSpace(string(data))
	if commit == "" || commit == "." || commit == ".." || strings.ContainsAny(commit, "/\\\x00\n") {
		w.finding(path, errors.New("does not hold a commit (delete it and download the model again)"), false)
		return ""
	}
	return commit
}
