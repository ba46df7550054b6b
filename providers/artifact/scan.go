package artifact

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/loadoutdev/loadout/engine"
)

// Options say where to look.
type Options struct {
	Paths          []string                           // directories to scan; also hub caches and parts of them
	HFCache        string                             // Hugging Face hub cache; empty: none
	AssumedHFCache bool                               // nobody named HFCache: that it is missing is no finding
	Progress       func(done, total int, path string) // after each model, in order of done; nil: silent
	Workers        int                                // models read at once; 0: one for each CPU
}

// Finding is something in the way of the scan that belongs to no artifact. Path
// and Problem read as a sentence: "/models is missing".
type Finding struct {
	Path    string `json:"path"`
	Problem string `json:"problem"`
	Named   bool   `json:"named"` // the user named this very path: an error, not a note
}

// Scan reads the facts of all safetensors models below the roots. The result is
// sorted and depends on nothing but the files. An error means that ctx ended.
func Scan(ctx context.Context, o Options) ([]engine.Artifact, []Finding, error) {
	f := &fence{}
	defer f.close()
	w := &walker{ctx: ctx, fence: f}
	for _, visit := range w.roots(o) {
		visit()
	}
	candidates := unique(f, w.found)
	artifacts, err := inspectAll(ctx, f, candidates, o)
	if err != nil {
		return nil, nil, err
	}
	sortArtifacts(artifacts)
	slices.SortFunc(w.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Problem, b.Problem))
	})
	return artifacts, slices.Compact(w.findings), nil
}

// roots puts every root inside the fence, so that links between them are
// followed, and returns the visits that are then to be made.
func (w *walker) roots(o Options) []func() {
	var visits []func()
	enter := func(root, path string, named bool, visit func()) {
		if err := w.fence.add(root); err == nil {
			visits = append(visits, visit)
		} else if named {
			w.finding(path, err, true)
		}
	}
	if o.HFCache != "" {
		cache := absolute(o.HFCache)
		enter(cache, cache, !o.AssumedHFCache, func() { w.cache(cache, !o.AssumedHFCache) })
	}
	for _, path := range o.Paths {
		path := absolute(path)
		if cache, repo, commit, ok := splitRepo(path); ok {
			enter(cache, path, true, func() { w.namedRepo(cache, repo, commit, path) })
			continue
		}
		enter(path, path, true, func() { w.plain(path, 0, true) })
	}
	return visits
}

// namedRepo visits a repository of a cache, or one snapshot, named by its path.
func (w *walker) namedRepo(cache, repo, commit, path string) {
	if _, err := w.fence.readDir(path); err != nil {
		w.finding(path, err, true)
		return
	}
	w.repo(cache, repo, commit)
}

// absolute keeps links as they were written: the path is the model's identity.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return filepath.Clean(path)
}

// unique drops directories that were reached twice, through overlapping roots or
// through links. The first in order of source and path stays.
func unique(f *fence, found []candidate) []candidate {
	slices.SortFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.revision, b.revision), cmp.Compare(a.path, b.path))
	})
	seen := map[string]bool{}
	return slices.DeleteFunc(found, func(c candidate) bool {
		key := c.path
		if real, err := filepath.EvalSymlinks(c.path); err == nil {
			key = real
		}
		if seen[key] {
			return true
		}
		seen[key] = true
		return false
	})
}

func inspectAll(ctx context.Context, f *fence, candidates []candidate, o Options) ([]engine.Artifact, error) {
	artifacts := make([]engine.Artifact, len(candidates))
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(cmp.Or(max(o.Workers, 0), runtime.GOMAXPROCS(0)))
	var mu sync.Mutex
	done := 0
	for i, c := range candidates {
		group.Go(func() (err error) {
			defer func() {
				if r := recover(); r != nil {
					err = fmt.Errorf("%s: loadout crashed while it looked, which is a bug: %v", c.path, r)
				}
			}()
			if artifacts[i], err = inspect(within, f, c); err != nil {
				return err
			}
			if o.Progress != nil {
				mu.Lock()
				defer mu.Unlock()
				done++
				o.Progress(done, len(candidates), c.path)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return artifacts, ctx.Err()
}

func sortArtifacts(artifacts []engine.Artifact) {
	slices.SortStableFunc(artifacts, func(a, b engine.Artifact) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Revision, b.Revision), cmp.Compare(a.Path, b.Path))
	})
}
