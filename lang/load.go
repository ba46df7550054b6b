package lang

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/loadoutdev/loadout/engine"
)

// Options say what to load.
type Options struct {
	// Dir is the configuration directory; "" is the current one. Filenames in
	// diagnostics and origins are relative to it, with forward slashes.
	Dir string
	// Workspace selects a workspace. When it is empty, the only one is taken.
	Workspace string
	// NeedWorkspace makes it an error when no workspace is selected; without
	// it, nothing is served then.
	NeedWorkspace bool
	// Values are --var-file and --var in the order of the command line.
	Values []ValueArg
	// Environ gives LOADOUT_VAR_x and HOME, in the form of os.Environ.
	Environ []string
}

// ValueArg is one --var-file (File, relative to Options.Dir) or one --var
// (Assign, "name=value").
type ValueArg struct {
	File   string
	Assign string
}

// Loaded is a configuration with what is needed to talk about its files.
type Loaded struct {
	engine.Config
	Discover *DiscoverBlock // nil when there is none

	parsed map[string]*hcl.File
	checks []check
	scope  *scope
}

// DiscoverBlock says where artifacts are looked for. Paths are absolute; empty
// fields were not written.
type DiscoverBlock struct {
	Paths   []string // directories
	HFCache string   // Hugging Face cache directory
	Ollama  string   // base URL
}

// Load reads the directory and evaluates it. The Loaded is never nil, so that
// snippets can be shown; its Config must not be used when there are errors. The
// diagnostics are sorted by place and contain no sensitive value.
func Load(opt Options) (*Loaded, hcl.Diagnostics) {
	l := &loader{
		opt:   opt,
		home:  homeOf(opt.Environ),
		files: newFileSet(opt.Dir),
		out:   &Loaded{},
	}
	l.run()
	l.out.parsed = l.files.parsed
	l.out.Inputs = l.files.sortedInputs()
	return l.out, tidy(l.diags, l.out.Sensitive)
}

// Files are the parsed files by name, for the snippets of diagnostics.
func (l *Loaded) Files() map[string]*hcl.File { return l.parsed }

// loader carries one Load through its stations.
type loader struct {
	opt    Options
	home   string
	files  *fileSet
	values []string // files that give values to variables
	doc    *document
	scope  *scope
	out    *Loaded
	diags  hcl.Diagnostics
}

func (l *loader) add(diags ...*hcl.Diagnostic) { l.diags = append(l.diags, diags...) }

// run passes the stations. A file that cannot be parsed ends it: whatever the
// file declares would be reported as missing.
func (l *loader) run() {
	found, err := findFiles(l.files.dir)
	if err != nil {
		l.add(failure("cannot read the configuration directory", err))
		return
	}
	l.values = found.values
	sources := l.parse(found.main)
	overrides := l.parse(found.overrides)
	if l.diags.HasErrors() {
		return
	}
	name := l.selectWorkspace(found, sources)
	sources = append(sources, l.parse(found.workspaces[name])...)
	if l.diags.HasErrors() {
		return
	}
	l.doc = newDocument()
	l.add(l.doc.decode(sources, overrides)...)
	l.scope = newScope(l.doc, l.files, l.home, name)
	l.out.scope = l.scope
	l.variables()
	l.evaluate(name)
	l.add(l.scope.diags...)
	l.out.Sensitive = l.scope.secrets.sorted()
}

// evaluate turns blocks into declarations, in the order in which they depend on
// each other; whatever is out of order is found on demand by the scope.
func (l *loader) evaluate(workspace string) {
	s := l.scope
	s.evaluateLocals()
	l.out.Workspace = s.workspaceBlock(workspace)
	l.out.Models = s.declare(l.out.Workspace.Profile)
	l.out.Moves = s.moves()
	l.out.Removals = s.removals()
	l.out.Adoptions = s.adoptions()
	l.out.Backends = s.backends()
	l.out.Discover = s.discover()
	l.out.checks = s.checks()
}

// parse reads the files in parallel and keeps those that are usable.
func (l *loader) parse(names []string) []*source {
	sources, diags := l.files.parse(names)
	l.add(diags...)
	return sources
}

// homeOf is the user's home by the environment given, else by the system.
func homeOf(environ []string) string {
	for _, kv := range slices.Backward(environ) {
		if home, ok := strings.CutPrefix(kv, "HOME="); ok && home != "" {
			return home
		}
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return home
}

// expandHome replaces a leading "~" by the user's home.
func expandHome(path, home string) string {
	if home != "" && (path == "~" || strings.HasPrefix(path, "~/")) {
		return home + path[1:]
	}
	return path
}

// resolvePath makes a path that people wrote absolute: "~" is the home, a
// relative path starts at base.
func resolvePath(path, base, home string) string {
	path = expandHome(path, home)
	if !filepath.IsAbs(path) {
		path = filepath.Join(base, path)
	}
	return filepath.Clean(path)
}
