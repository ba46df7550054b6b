package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/providers/artifact"
)

// search is where one discovery looked.
type search struct {
	roots    []string // an empty one is none
	ollama   bool     // the service answered
	findings []artifact.Finding
}

// missed are the artifacts that an earlier discovery knew and this one did not
// look at: they stay known. Facts that were not looked for are not gone. What
// lay in a folder that is no more is gone all the same.
func (s search) missed(old *engine.Discovered) []engine.Artifact {
	if old == nil {
		return nil
	}
	var kept []engine.Artifact
	for _, a := range old.Artifacts {
		if !s.covered(&a) && (a.Kind == "ollama" || !missing(a.Path)) {
			kept = append(kept, a)
		}
	}
	return kept
}

func (s search) covered(a *engine.Artifact) bool {
	if a.Kind == "ollama" {
		return s.ollama
	}
	inside := slices.ContainsFunc(s.roots, func(root string) bool { return root != "" && within(a.Path, root) })
	unread := slices.ContainsFunc(s.findings, func(f artifact.Finding) bool { return within(a.Path, f.Path) && !readable(f.Path) })
	return inside && !unread
}

func within(path, root string) bool {
	rel, err := filepath.Rel(root, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// readable tells a folder that is broken, or gone, from one that could not be
// looked at.
func readable(path string) bool {
	_, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		_, err = os.ReadDir(filepath.Dir(path))
	}
	return err == nil
}
