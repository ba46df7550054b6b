package lang

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// workspaceDir holds one file per workspace.
const workspaceDir = "workspaces"

// foundFiles are the names of the files of a directory, relative to it, in the
// order in which they are read.
type foundFiles struct {
	main       []string
	overrides  []string            // *_override.hcl, read last
	workspaces map[string][]string // by name of the workspace
	values     []string            // loadout.hclvars, then *.auto.hclvars
}

// findFiles lists a directory. It opens nothing.
func findFiles(dir string) (foundFiles, error) {
	found := foundFiles{workspaces: map[string][]string{}}
	names, err := plainFiles(dir)
	if err != nil {
		return found, err
	}
	for _, name := range names {
		stem, ok := cutSuffixes(name, ".hcl", ".hcl.json")
		switch {
		case !ok || name == lockFile:
		case strings.HasSuffix(stem, "_override") || stem == "override":
			found.overrides = append(found.overrides, name)
		default:
			found.main = append(found.main, name)
		}
	}
	found.values = valueFiles(names)
	names, err = plainFiles(filepath.Join(dir, workspaceDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return found, err
	}
	for _, name := range names {
		if stem, ok := cutSuffixes(name, ".hcl", ".hcl.json"); ok {
			found.workspaces[stem] = append(found.workspaces[stem], workspaceDir+"/"+name)
		}
	}
	return found, nil
}

// lockFile ends in .hcl and is not configuration: it holds digests.
const lockFile = "loadout.lock.hcl"

func valueFiles(names []string) []string {
	var own, auto []string
	for _, name := range names {
		stem, ok := cutSuffixes(name, ".hclvars", ".hclvars.json")
		switch {
		case !ok:
		case stem == "loadout":
			own = append(own, name)
		case strings.HasSuffix(stem, ".auto"):
			auto = append(auto, name)
		}
	}
	return append(own, auto...)
}

// plainFiles lists the names of what is not a directory, sorted, without
// editors' leavings.
func plainFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		n := e.Name()
		if e.IsDir() || strings.HasPrefix(n, ".") || strings.HasPrefix(n, "#") || strings.HasSuffix(n, "~") {
			continue
		}
		names = append(names, n)
	}
	return names, nil
}

func cutSuffixes(name string, suffixes ...string) (string, bool) {
	for _, s := range suffixes {
		if stem, ok := strings.CutSuffix(name, s); ok && stem != "" {
			return stem, true
		}
	}
	return "", false
}

// Workspaces lists the names of the workspaces of a directory, sorted: the
// files in workspaces/ and the workspace blocks of the other files. Files that
// cannot be parsed are passed over; Load reports them.
func Workspaces(dir string) ([]string, error) {
	files := newFileSet(dir)
	found, err := findFiles(files.dir)
	if err != nil {
		return nil, err
	}
	sources, _ := files.parse(found.main)
	return workspaceNames(found, sources), nil
}

func workspaceNames(found foundFiles, sources []*source) []string {
	var names []string
	for name := range found.workspaces {
		names = append(names, name)
	}
	for _, src := range sources {
		names = append(names, labelsOf(src.file.Body, "workspace")...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// selectWorkspace decides which workspace is meant; "" is none.
func (l *loader) selectWorkspace(found foundFiles, sources []*source) string {
	names := workspaceNames(found, sources)
	want := l.opt.Workspace
	switch {
	case want != "" && slices.Contains(names, want):
		return want
	case want != "":
		l.add(failed(fmt.Sprintf("there is no workspace %q", want), noWorkspace(names)+didYouMean(want, names)))
	case len(names) == 1:
		return names[0]
	case l.opt.NeedWorkspace && len(names) == 0:
		l.add(failed("there is no workspace", noWorkspace(names)))
	case l.opt.NeedWorkspace:
		l.add(failed("which workspace?", "There are several: "+quoted(names)+". Name one with -w."))
	}
	return ""
}

func noWorkspace(names []string) string {
	if len(names) > 0 {
		return "There are: " + quoted(names) + "."
	}
	return `Declare one in workspaces/NAME.hcl: workspace "NAME" { … } with a serve block for each model to run.`
}

// failed is an error without a place.
func failed(summary, detail string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail}
}

func failure(summary string, err error) *hcl.Diagnostic {
	return failed(summary, sentence(err.Error()))
}
