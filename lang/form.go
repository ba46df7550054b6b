package lang

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/loadoutdev/loadout/engine"
)

// form is what one section says about a model, evaluated as far as it can be
// once for all keys of a for_each; the blanks are filled in for each key.
type form struct {
	layer  engine.Layer // sorted by path
	blanks []blank
}

// attributes is the table of the engine by name.
var attributes = func() map[string]*engine.Attribute {
	m := make(map[string]*engine.Attribute, len(engine.Attributes))
	for i := range engine.Attributes {
		m[engine.Attributes[i].Name] = &engine.Attributes[i]
	}
	return m
}()

// form evaluates a section. In a block with for_each, expressions that read
// each are kept as blanks.
func (s *scope) form(sec *section, kind engine.LayerKind, block string, hasEach bool) *form {
	b := &builder{scope: s, kind: kind, block: block, src: sec.src, hasEach: hasEach}
	b.layer = make(engine.Layer, 0, countLeaves(sec))
	for i := range sec.attrs {
		a := &sec.attrs[i]
		attr := attributes[a.name]
		switch {
		case attr == nil: // for_each, enabled, name: read elsewhere
		case attr.Type == engine.TypeObject:
			b.object(a.name, attr, a.expr, *a.at)
		default:
			b.leaf(a.name, attr, a.expr, *a.at)
		}
	}
	for _, sub := range sec.blocks {
		if sub.kind == "lifecycle" {
			for i := range sub.attrs {
				a := &sub.attrs[i]
				b.leaf(s.join("lifecycle", a.name), attributes["lifecycle"], a.expr, *a.at)
			}
		}
	}
	return b.finish()
}

// countLeaves is how many fields a section sets, as far as they are written out.
func countLeaves(sec *section) int {
	n := 0
	for i := range sec.attrs {
		n += leavesOf(sec.attrs[i].expr)
	}
	for _, sub := range sec.blocks {
		n += len(sub.attrs)
	}
	return n
}

func leavesOf(expr hcl.Expression) int {
	object, ok := expr.(*hclsyntax.ObjectConsExpr)
	if !ok {
		return 1
	}
	n := 0
	for i := range object.Items {
		n += leavesOf(object.Items[i].ValueExpr)
	}
	return max(n, 1)
}

// builder collects the assignments of one section.
type builder struct {
	*scope
	kind    engine.LayerKind
	block   string
	src     *source
	hasEach bool
	layer   engine.Layer
	blanks  []blank
}

// finish sorts the layer and points the blanks at their places in it.
func (b *builder) finish() *form {
	paths := make([]string, len(b.blanks))
	for i := range b.blanks {
		paths[i] = b.layer[b.blanks[i].at].Path
	}
	sortLayer(b.layer)
	for i := range b.blanks {
		b.blanks[i].at, _ = slices.BinarySearchFunc(b.layer, paths[i], func(a engine.Assignment, p string) int { return strings.Compare(a.Path, p) })
	}
	return &form{layer: b.layer, blanks: b.blanks}
}

func sortLayer(layer engine.Layer) {
	byPath := func(a, b engine.Assignment) int { return strings.Compare(a.Path, b.Path) }
	if !slices.IsSortedFunc(layer, byPath) {
		slices.SortFunc(layer, byPath)
	}
}

func (b *builder) origin(at *hcl.Range) engine.Origin {
	return engine.Origin{Layer: b.kind, Block: b.block, File: at.Filename, Start: posOf(at.Start), End: posOf(at.End)}
}

func posOf(p hcl.Pos) engine.Pos { return engine.Pos{Line: p.Line, Column: p.Column, Byte: p.Byte} }

// object enters an object that is written out, so that every key has its own
// origin; a computed one is a leaf with the origin of the expression.
func (b *builder) object(path string, attr *engine.Attribute, expr hcl.Expression, at hcl.Range) {
	items, ok := b.items(expr)
	if !ok {
		b.leaf(path, attr, expr, at)
		return
	}
	if len(items) == 0 {
		b.put(path, attr, map[string]any{}, at)
		return
	}
	b.repeated(items)
	for _, it := range items {
		sub := b.join(path, it.key)
		if isFlat[attr.Name] {
			b.leaf(sub, attr, it.value, it.at)
		} else {
			b.object(sub, attr, it.value, it.at)
		}
	}
}

// leaf assigns the value of one expression.
func (b *builder) leaf(path string, attr *engine.Attribute, expr hcl.Expression, at hcl.Range) {
	if v, ok := literal(expr); ok {
		b.put(path, attr, v, at)
		return
	}
	if b.hasEach && readsEach(expr) {
		b.keepBlank(path, attr, expr, at)
		return
	}
	v, ok, err := b.toValue(b.eval(expr, b.src, nil), false)
	switch {
	case err != nil:
		b.add(errorAt(at, "wrong value for "+path, "%s", sentence(err.Error())))
	case ok:
		b.put(path, attr, v, at)
	}
}

// put checks a value and adds it, an object leaf by leaf.
func (b *builder) put(path string, attr *engine.Attribute, v engine.Value, at hcl.Range) {
	origin := b.origin(&at)
	problem := b.settle(path, attr, v, b.src, func(path string, v engine.Value) {
		b.layer = append(b.layer, engine.Assignment{Path: path, Value: v, Origin: origin})
	})
	if problem != nil {
		problem.Subject = &at
		b.add(problem)
	}
}

func (b *builder) keepBlank(path string, attr *engine.Attribute, expr hcl.Expression, at hcl.Range) {
	bl, ok := b.newBlank(expr, b.src)
	if !ok {
		return
	}
	bl.at, bl.attr = len(b.layer), attr
	b.blanks = append(b.blanks, bl)
	b.layer = append(b.layer, engine.Assignment{Path: path, Origin: b.origin(&at)})
}

// pathKey is a field path before it is joined.
type pathKey struct{ base, key string }

// join is engine.JoinPath; each path is made once per Load.
func (s *scope) join(base, key string) string {
	id := pathKey{base, key}
	path, ok := s.paths[id]
	if !ok {
		path = engine.JoinPath(base, key)
		s.paths[id] = path
	}
	return path
}
