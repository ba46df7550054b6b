package lang

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// section is one block as it stands in one file.
type section struct {
	kind   string
	labels []string
	def    hcl.Range // the header
	src    *source
	attrs  []attribute // sorted by name
	blocks []*section  // in the order of the file
}

// attribute is one attribute as written, its expression kept.
type attribute struct {
	name string
	expr hcl.Expression
	at   *hcl.Range // name to end of value
	src  *source
}

// attr finds an attribute; nil when it is not written.
func (s *section) attr(name string) *attribute {
	for i := range s.attrs {
		if s.attrs[i].name == name {
			return &s.attrs[i]
		}
	}
	return nil
}

// address is the block as people write it: model "qwen".
func (s *section) address() string {
	var b strings.Builder
	b.WriteString(s.kind)
	for _, l := range s.labels {
		b.WriteString(` "` + l + `"`)
	}
	return b.String()
}

// reader makes sections of bodies and collects what is wrong with them.
type reader struct {
	src   *source
	diags hcl.Diagnostics
}

// readFile reads the top level of a file.
func readFile(src *source) ([]*section, hcl.Diagnostics) {
	r := &reader{src: src}
	top := &section{src: src}
	r.body(top, src.file.Body, fileSpec)
	return top.blocks, r.diags
}

func (r *reader) body(s *section, body hcl.Body, spec *blockSpec) {
	if native, ok := body.(*hclsyntax.Body); ok {
		r.native(s, native, spec)
	} else {
		r.generic(s, body, spec)
	}
	for _, name := range spec.required {
		if s.attr(name) == nil {
			r.diags = append(r.diags, errorAt(s.def, s.address()+" has no "+name, "The attribute %s is required here.", name))
		}
	}
}

// native reads a body of the native syntax straight from its tree: this is
// where the bulk of every configuration passes.
func (r *reader) native(s *section, body *hclsyntax.Body, spec *blockSpec) {
	names := spec.attrs
	if spec.free {
		names = slices.Sorted(maps.Keys(body.Attributes))
	}
	s.attrs = make([]attribute, 0, len(body.Attributes))
	for _, name := range names {
		if a, ok := body.Attributes[name]; ok {
			s.attrs = append(s.attrs, attribute{name: name, expr: a.Expr, at: &a.SrcRange, src: r.src})
		}
	}
	if len(s.attrs) < len(body.Attributes) {
		r.unknownAttributes(s, body, spec)
	}
	if len(body.Blocks) == 0 {
		return
	}
	seen := map[string]*section{}
	for _, b := range body.Blocks {
		child := spec.blocks[b.Type]
		if child == nil {
			r.unknownBlock(s, b, spec)
			continue
		}
		if !r.labels(b, child) {
			continue
		}
		sub := &section{kind: b.Type, labels: b.Labels, def: b.DefRange(), src: r.src}
		r.once(sub, child, seen)
		r.body(sub, b.Body, child)
		s.blocks = append(s.blocks, sub)
	}
}

// once refuses a second block of a kind that may stand only once.
func (r *reader) once(sub *section, spec *blockSpec, seen map[string]*section) {
	if !spec.single {
		return
	}
	if first := seen[sub.kind]; first != nil {
		r.diags = append(r.diags, errorAt(sub.def, "a second "+sub.kind+" block",
			"There may be one; the first is at %s. Put everything into it.", place(first.def)))
		return
	}
	seen[sub.kind] = sub
}

// labels checks the number of labels of a block.
func (r *reader) labels(b *hclsyntax.Block, spec *blockSpec) bool {
	if len(b.Labels) == len(spec.labels) {
		return true
	}
	form := b.Type
	for _, l := range spec.labels {
		form += ` "` + strings.ToUpper(l) + `"`
	}
	r.diags = append(r.diags, errorAt(b.DefRange(), "wrong labels of a "+b.Type+" block", "Write: %s { … }", form))
	return false
}

// generic reads a body of the JSON syntax.
func (r *reader) generic(s *section, body hcl.Body, spec *blockSpec) {
	if spec.free {
		attrs, diags := body.JustAttributes()
		r.diags = append(r.diags, diags...)
		r.take(s, attrs)
		return
	}
	content, diags := body.Content(spec.hclSchema())
	r.diags = append(r.diags, diags...)
	r.take(s, content.Attributes)
	seen := map[string]*section{}
	for _, b := range content.Blocks {
		sub := &section{kind: b.Type, labels: b.Labels, def: b.DefRange, src: r.src}
		r.once(sub, spec.blocks[b.Type], seen)
		r.body(sub, b.Body, spec.blocks[b.Type])
		s.blocks = append(s.blocks, sub)
	}
}

func (r *reader) take(s *section, attrs hcl.Attributes) {
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		a := attrs[name]
		s.attrs = append(s.attrs, attribute{name: name, expr: a.Expr, at: &a.Range, src: r.src})
	}
}

// labelsOf finds the labels of all blocks of a kind, without judging the rest.
func labelsOf(body hcl.Body, kind string) []string {
	var labels []string
	content, _, _ := body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: kind, LabelNames: []string{"name"}}}})
	for _, b := range content.Blocks {
		labels = append(labels, b.Labels[0])
	}
	return labels
}
