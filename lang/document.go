package lang

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// block is a block with the sections of override files laid over it: parts
// come weakest first, the first one is the block itself.
type block struct {
	*section
	overrides []*section
}

// parts are all sections, weakest first.
func (b *block) parts() []*section {
	return append([]*section{b.section}, b.overrides...)
}

// attr is the strongest attribute of this name; nil when none is written.
func (b *block) attr(name string) *attribute {
	for _, s := range slices.Backward(b.overrides) {
		if a := s.attr(name); a != nil {
			return a
		}
	}
	return b.section.attr(name)
}

// document is the directory as written.
type document struct {
	variables  map[string]*block
	locals     map[string]*attribute
	backends   map[string]*block
	models     map[string]*block
	profiles   map[string]*block
	workspaces map[string]*workspaceDoc
	checks     map[string]*block
	moved      []*section
	removed    []*section
	adopt      []*section
	discover   *block

	diags hcl.Diagnostics
}

// workspaceDoc is a workspace block with its nested blocks by label.
type workspaceDoc struct {
	*block
	gpus   map[string]*block
	serves map[string]*block
}

func newDocument() *document {
	return &document{
		variables: map[string]*block{}, locals: map[string]*attribute{}, backends: map[string]*block{},
		models: map[string]*block{}, profiles: map[string]*block{}, workspaces: map[string]*workspaceDoc{},
		checks: map[string]*block{},
	}
}

// decode sorts the blocks of all files by what they declare. Blocks of override
// files are laid over the block of the same name.
func (d *document) decode(sources, overrides []*source) hcl.Diagnostics {
	for _, src := range sources {
		d.eachSection(src, d.declare)
	}
	for _, src := range overrides {
		d.eachSection(src, d.override)
	}
	return d.diags
}

func (d *document) eachSection(src *source, do func(*section)) {
	sections, diags := readFile(src)
	d.diags = append(d.diags, diags...)
	for _, s := range sections {
		do(s)
	}
}

// named is the map of the blocks of a kind that have a name.
func (d *document) named(kind string) map[string]*block {
	switch kind {
	case "variable":
		return d.variables
	case "backend":
		return d.backends
	case "model":
		return d.models
	case "profile":
		return d.profiles
	case "check":
		return d.checks
	}
	return nil
}

// declare takes a block of a file that is no override.
func (d *document) declare(s *section) {
	switch s.kind {
	case "locals":
		d.declareLocals(s)
	case "workspace":
		d.declareWorkspace(s)
	case "moved":
		d.moved = append(d.moved, s)
	case "removed":
		d.removed = append(d.removed, s)
	case "adopt":
		d.adopt = append(d.adopt, s)
	case "discover":
		if d.discover != nil {
			d.twice(s, d.discover.def)
			return
		}
		d.discover = &block{section: s}
	default:
		d.put(d.named(s.kind), s)
	}
}

// put adds a block under its label, which must be new and not empty.
func (d *document) put(blocks map[string]*block, s *section) {
	name := s.labels[0]
	if strings.TrimSpace(name) != name || name == "" {
		d.diags = append(d.diags, errorAt(s.def, "a "+s.kind+" needs a name", "The label may not be empty, nor start or end with a space."))
		return
	}
	if first := blocks[name]; first != nil {
		d.twice(s, first.def)
		return
	}
	blocks[name] = &block{section: s}
}

func (d *document) twice(s *section, first hcl.Range) {
	d.diags = append(d.diags, errorAt(s.def, s.address()+" is declared twice",
		"The first declaration is at %s. Remove one of them; a file named *_override.hcl may change single attributes.", place(first)))
}

func (d *document) declareLocals(s *section) {
	for i := range s.attrs {
		a := &s.attrs[i]
		if first := d.locals[a.name]; first != nil {
			d.diags = append(d.diags, errorAt(*a.at, "local."+a.name+" is declared twice", "The first declaration is at %s.", place(*first.at)))
			continue
		}
		d.locals[a.name] = a
	}
}

func (d *document) declareWorkspace(s *section) {
	name := s.labels[0]
	if first := d.workspaces[name]; first != nil {
		d.twice(s, first.def)
		return
	}
	if file, ok := strings.CutPrefix(s.src.name, workspaceDir+"/"); ok {
		if stem, _ := cutSuffixes(file, ".hcl", ".hcl.json"); stem != name {
			d.diags = append(d.diags, errorAt(s.def, "workspace \""+name+"\" stands in the file of another workspace",
				"%s is read only for -w %s. Rename the block or the file.", s.src.name, stem))
			return
		}
	}
	w := &workspaceDoc{block: &block{section: s}, gpus: map[string]*block{}, serves: map[string]*block{}}
	d.workspaces[name] = w
	for _, sub := range s.blocks {
		d.put(w.nested(sub.kind), sub)
	}
}

func (w *workspaceDoc) nested(kind string) map[string]*block {
	if kind == "gpu" {
		return w.gpus
	}
	return w.serves
}
