package artifact

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// mainRef is the ref that a repository's name alone stands for.
const mainRef = "refs/main"

// refSeparator stands between refs in evidence; git allows no blank in a ref.
const refSeparator = ", "

// hasRef tells whether the evidence of a revision names a ref.
func hasRef(evidence, ref string) bool {
	return slices.Contains(strings.Split(evidence, refSeparator), ref)
}

// Index prepares the artifacts of a document, which may be nil, and returns the
// lookup by a model's source:
//
//   - hf://org/name: the snapshot that refs/main names, or the only one
//   - hf://org/name@REV: the snapshot of that commit, branch or tag
//   - file:///abs/path: the artifact of that path, compared as text after
//     cleaning; the path of a snapshot counts too
//   - ollama://tag[@DIGEST]: the tag, with Ollama's default registry and ":latest"
//
// The lookup knows the document only and never looks at the disk.
func Index(d *engine.Discovered) func(source string) (engine.Artifact, bool) {
	ix := index{hub: groups{}, files: groups{}, ollama: groups{}}
	if d != nil {
		for _, a := range d.Artifacts {
			ix.add(a)
		}
	}
	return ix.find
}

// groups holds artifacts by what a source says without a revision.
type groups map[string][]engine.Artifact

type index struct {
	hub    groups // by repository
	files  groups // by clean path
	ollama groups // by full tag
}

func (ix index) add(a engine.Artifact) {
	scheme, rest, _ := strings.Cut(a.Source, "://")
	if a.Path != "" && scheme != "ollama" {
		path := filepath.Clean(a.Path)
		ix.files[path] = append(ix.files[path], a)
	}
	switch scheme {
	case "hf":
		ix.hub[rest] = append(ix.hub[rest], a)
	case "ollama":
		tag := ollamaTag(rest)
		ix.ollama[tag] = append(ix.ollama[tag], a)
	}
}

func (ix index) find(source string) (engine.Artifact, bool) {
	scheme, rest, _ := strings.Cut(source, "://")
	switch scheme {
	case "hf":
		repo, revision, pinned := strings.Cut(strings.TrimSuffix(rest, "/"), "@")
		if pinned {
			return first(ix.hub[repo], func(a engine.Artifact) bool {
				return a.Revision == revision || hasRef(a.Evidence["revision"], "refs/"+revision)
			})
		}
		return unpinned(ix.hub[repo])
	case "file":
		return first(ix.files[filepath.Clean(rest)], func(engine.Artifact) bool { return true })
	case "ollama":
		tag, digest, _ := strings.Cut(rest, "@")
		return first(ix.ollama[ollamaTag(tag)], func(a engine.Artifact) bool {
			return digest == "" || a.Revision == digest
		})
	}
	return engine.Artifact{}, false
}

// unpinned picks the snapshot that a repository's name alone means. Of several
// without refs/main nothing says which, and it is not ours to guess.
func unpinned(same []engine.Artifact) (engine.Artifact, bool) {
	if a, ok := first(same, func(a engine.Artifact) bool { return hasRef(a.Evidence["revision"], mainRef) }); ok {
		return a, true
	}
	if len(same) == 1 {
		return same[0], true
	}
	return engine.Artifact{}, false
}

// ollamaTag writes a tag in full: registry, namespace, name and tag, as Ollama
// completes it.
func ollamaTag(tag string) string {
	parts := strings.Split(tag, "/")
	switch len(parts) {
	case 1:
		parts = []string{"registry.ollama.ai", "library", parts[0]}
	case 2:
		parts = append([]string{"registry.ollama.ai"}, parts...)
	}
	full := strings.Join(parts, "/")
	if !strings.Contains(parts[len(parts)-1], ":") {
		full += ":latest"
	}
	return strings.ToLower(full)
}

func first(artifacts []engine.Artifact, ok func(engine.Artifact) bool) (engine.Artifact, bool) {
	if i := slices.IndexFunc(artifacts, ok); i >= 0 {
		return artifacts[i], true
	}
	return engine.Artifact{}, false
}
