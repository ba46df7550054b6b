package lang

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// scope is everything that expressions may read. It is filled on demand: what
// an expression names is evaluated first, and what depends on itself is
// reported with the whole chain.
type scope struct {
	doc       *document
	files     *fileSet
	home      string
	workspace string // selected; "" when none is
	secrets   secretSet
	diags     hcl.Diagnostics

	vars     map[string]cty.Value
	locals   map[string]cty.Value // evaluated so far
	allReady bool                 // every local is in locals
	models   map[string]*modelNode
	expanded bool // index is complete
	index    map[string]*instance
	serving  *serving
	headers  map[headerKey]cty.Value
	roots    map[string]*hcl.EvalContext // by directory of the file
	chain    []step                      // what is being evaluated, outermost first
	active   map[string]int              // name to place in the chain
	paths    map[pathKey]string          // interned paths of fields
}

// step is one thing on the way of the evaluation.
type step struct {
	name string
	at   hcl.Range
}

func newScope(doc *document, files *fileSet, home, workspace string) *scope {
	s := &scope{
		doc: doc, files: files, home: home, workspace: workspace, secrets: secretSet{},
		locals: map[string]cty.Value{}, headers: map[headerKey]cty.Value{},
		models: make(map[string]*modelNode, len(doc.models)), index: make(map[string]*instance, len(doc.models)),
		roots: map[string]*hcl.EvalContext{}, active: map[string]int{}, paths: map[pathKey]string{},
	}
	for label, b := range doc.models {
		s.models[label] = &modelNode{block: b, label: label}
	}
	return s
}

func (s *scope) add(diags ...*hcl.Diagnostic) { s.diags = append(s.diags, diags...) }

func (s *scope) setVariables(values map[string]cty.Value) { s.vars = values }

// constants is the context of what may only call functions.
func (s *scope) constants(src *source) *hcl.EvalContext {
	return &hcl.EvalContext{Functions: s.functions(src.base)}
}

// root is the context of a file: functions that know its directory, variables,
// and the locals once all of them are evaluated.
func (s *scope) root(src *source) *hcl.EvalContext {
	if ctx := s.roots[src.base]; ctx != nil {
		return ctx
	}
	name := cty.UnknownVal(cty.String)
	if s.workspace != "" {
		name = cty.StringVal(s.workspace)
	}
	ctx := &hcl.EvalContext{
		Functions: s.functions(src.base),
		Variables: map[string]cty.Value{
			"var":       cty.ObjectVal(s.vars),
			"path":      cty.ObjectVal(map[string]cty.Value{"root": cty.StringVal(s.files.dir)}),
			"workspace": cty.ObjectVal(map[string]cty.Value{"name": name}),
		},
	}
	if s.allReady {
		ctx.Variables["local"] = cty.ObjectVal(s.locals)
	}
	s.roots[src.base] = ctx
	return ctx
}

// evaluateLocals evaluates every local, whether something reads it or not.
func (s *scope) evaluateLocals() {
	for _, name := range slices.Sorted(maps.Keys(s.doc.locals)) {
		s.local(name)
	}
	s.allReady = true
	s.roots = map[string]*hcl.EvalContext{}
}

// local is the value of a declared local.
func (s *scope) local(name string) cty.Value {
	if v, ok := s.locals[name]; ok {
		return v
	}
	a := s.doc.locals[name]
	value := cty.DynamicVal
	if s.enter("local."+name, *a.at) {
		before := len(s.diags)
		value = s.eval(a.expr, a.src, nil)
		if len(s.diags) > before {
			value = cty.DynamicVal // what reads it has nothing to add
		}
		s.leave()
		s.locals[name] = value
	}
	return value
}

// enter notes that something is being evaluated; false means that it is
// already, which is reported.
func (s *scope) enter(name string, at hcl.Range) bool {
	i, again := s.active[name]
	if !again {
		s.active[name] = len(s.chain)
		s.chain = append(s.chain, step{name, at})
		return true
	}
	var names []string
	for _, st := range s.chain[i:] {
		names = append(names, st.name)
	}
	s.add(errorAt(s.chain[i].at, name+" depends on itself", "%s → %s. Break the circle at one of them.", strings.Join(names, " → "), name))
	return false
}

func (s *scope) leave() {
	last := len(s.chain) - 1
	delete(s.active, s.chain[last].name)
	s.chain = s.chain[:last]
}

// each is one element of a for_each.
type each struct {
	key   string
	value cty.Value
	vars  map[string]cty.Value // "each", made when first needed
}

func (e *each) variables() map[string]cty.Value {
	if e.vars == nil {
		e.vars = map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": cty.StringVal(e.key), "value": e.value})}
	}
	return e.vars
}

// eval evaluates an expression of a file. What fails is reported and unknown.
func (s *scope) eval(expr hcl.Expression, src *source, e *each) cty.Value {
	if v, ok := constant(expr); ok {
		return v
	}
	s.repeatedKeys(expr)
	extra := ""
	if e != nil {
		extra = "each"
	}
	ctx, ok := s.contextOf(expr, src, extra)
	if !ok {
		return cty.DynamicVal
	}
	return s.evalIn(expr, ctx, e)
}

// evalIn evaluates in a context that contextOf made.
func (s *scope) evalIn(expr hcl.Expression, ctx *hcl.EvalContext, e *each) cty.Value {
	if e != nil {
		ctx = ctx.NewChild()
		ctx.Variables = e.variables()
	}
	if d := secretKey(expr, ctx); d != nil {
		s.add(d)
		return cty.DynamicVal
	}
	value, diags := expr.Value(ctx)
	if !diags.HasErrors() {
		return value
	}
	for _, d := range concealed(diags, expr, ctx) {
		if e != nil {
			d.Detail += " (each.key is \"" + e.key + "\")"
		}
		s.add(d)
	}
	return cty.DynamicVal
}
