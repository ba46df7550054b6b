package lang

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/loadoutdev/loadout/engine"
)

// unknownAttributes reports what a native body has and its block does not take.
func (r *reader) unknownAttributes(s *section, body *hclsyntax.Body, spec *blockSpec) {
	for _, name := range slices.Sorted(maps.Keys(body.Attributes)) {
		if slices.Contains(spec.attrs, name) {
			continue
		}
		at := body.Attributes[name].NameRange
		switch {
		case s.kind == "":
			r.diags = append(r.diags, errorAt(at, "attribute \""+name+"\" outside of any block",
				"A file consists of blocks. A value to use in several places goes into a locals block."))
		case spec.blocks[name] != nil:
			r.diags = append(r.diags, errorAt(at, name+" is a block", "Write %s { … } without the equals sign.", name))
		default:
			r.diags = append(r.diags, errorAt(at, "unknown attribute \""+name+"\"", "%s", attributeHint(s, name, spec)))
		}
	}
}

// attributeHint tells where an attribute that exists elsewhere belongs, or
// which one may have been meant.
func attributeHint(s *section, name string, spec *blockSpec) string {
	hint := "A " + s.kind + " block has no attribute of this name."
	if guess := didYouMean(name, spec.names()); guess != "" {
		return hint + guess
	}
	if a, ok := engine.LookupAttribute(name); ok {
		return hint + " It may be set in: " + strings.Join(blocksOf(a.In), ", ") + "."
	}
	if slices.Contains(spec.attrs, "args") && s.kind != "gpu" {
		return hint + " Arguments of the backend go into args = { " + name + " = … }."
	}
	return hint
}

func blocksOf(in engine.Blocks) []string {
	var names []string
	for _, b := range []struct {
		bit  engine.Blocks
		name string
	}{
		{engine.InBackend, "backend"}, {engine.InModel, "model"}, {engine.InProfile, "profile"}, {engine.InServe, "serve (in a workspace)"},
	} {
		if in&b.bit != 0 {
			names = append(names, b.name)
		}
	}
	return names
}

// unknownBlock reports a block that may not stand here.
func (r *reader) unknownBlock(s *section, b *hclsyntax.Block, spec *blockSpec) {
	where := "here"
	if s.kind != "" {
		where = "in a " + s.kind + " block"
	}
	hint := "There is no block of this type " + where + "."
	switch {
	case slices.Contains(spec.attrs, b.Type):
		hint = "It is an attribute: write " + b.Type + " = { … } with an equals sign."
	case s.kind == "" && fileSpec.blocks["workspace"].blocks[b.Type] != nil:
		hint += " It belongs into a workspace block."
	case s.kind != "" && fileSpec.blocks[b.Type] != nil:
		hint += " It belongs at the top level of a file."
	default:
		hint += didYouMean(b.Type, spec.names())
	}
	r.diags = append(r.diags, errorAt(b.TypeRange, "unknown block \""+b.Type+"\"", "%s", hint))
}
