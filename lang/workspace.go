package lang

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2"

	"github.com/loadoutdev/loadout/engine"
)

// workspaceBlock evaluates what a workspace says about itself and its GPUs.
func (s *scope) workspaceBlock(name string) engine.Workspace {
	if name == "" {
		return engine.Workspace{}
	}
	w := s.doc.workspaces[name]
	if w == nil {
		s.add(failed(fmt.Sprintf("workspaces/%s.hcl declares no workspace %q", name, name),
			fmt.Sprintf("Add a block: workspace %q { … } with a serve block for each model to run.", name)))
		return engine.Workspace{Name: name}
	}
	out := engine.Workspace{Name: name, Origin: blockOrigin(w.section, engine.LayerServe, name)}
	if a := w.attr("profile"); a != nil {
		out.Profile = s.profileName(a)
	}
	for _, id := range slices.SortedFunc(maps.Keys(w.gpus), compareIDs) {
		out.GPUs = append(out.GPUs, s.gpu(id, w.gpus[id]))
	}
	return out
}

// compareIDs orders "2" before "10".
func compareIDs(a, b string) int {
	n, err := strconv.Atoi(a)
	m, err2 := strconv.Atoi(b)
	if err == nil && err2 == nil && n != m {
		return n - m
	}
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (s *scope) profileName(a *attribute) string {
	name := s.text(a)
	if name == "" || s.doc.profiles[name] != nil {
		return name
	}
	names := slices.Sorted(maps.Keys(s.doc.profiles))
	detail := "No file declares a profile."
	if len(names) > 0 {
		detail = "Declared are: " + quoted(names) + "." + didYouMean(name, names)
	}
	s.add(errorAt(*a.at, fmt.Sprintf("there is no profile %q", name), "%s", detail))
	return name
}

func (s *scope) gpu(id string, b *block) engine.GPU {
	gpu := engine.GPU{ID: id, Used: -1, Origin: blockOrigin(b.section, engine.LayerServe, id)}
	if a := b.attr("uuid"); a != nil {
		gpu.UUID = s.text(a)
	}
	gpu.Memory = s.size(b.attr("memory"))
	gpu.Reserve = s.size(b.attr("reserve"))
	if gpu.Memory > 0 && gpu.Reserve >= gpu.Memory {
		s.add(errorAt(*b.attr("reserve").at, "reserve leaves nothing of the GPU", "It must be smaller than memory (%s).", place(*b.attr("memory").at)))
	}
	return gpu
}

// scalar evaluates an attribute outside of models to a value of a type; nil
// when it is not written, null, or wrong, which is reported.
func (s *scope) scalar(a *attribute, t engine.Type) engine.Value {
	if a == nil {
		return nil
	}
	v, ok, err := s.toValue(s.eval(a.expr, a.src, nil), false)
	if err == nil && ok && hasSecret(v) {
		s.add(errorAt(*a.at, a.name+" is sensitive", "It is shown in plans, so it must not be."))
		return nil
	}
	if err == nil && ok {
		v, err = conformTo(t, v)
	}
	if err != nil {
		s.add(errorAt(*a.at, "wrong value for "+a.name, "%s", sentence(a.name+" "+err.Error())))
		return nil
	}
	if !ok {
		return nil
	}
	return v
}

func (s *scope) text(a *attribute) string {
	v, _ := s.scalar(a, engine.TypeString).(string)
	return v
}

func (s *scope) size(a *attribute) int64 {
	v, _ := s.scalar(a, engine.TypeBytes).(int64)
	return v
}

// rangeOfOrigin is the place of an origin as a range; nil when it has none.
func rangeOfOrigin(o engine.Origin) *hcl.Range {
	if o.File == "" || o.Start.Line == 0 {
		return nil
	}
	start := hcl.Pos{Line: o.Start.Line, Column: o.Start.Column, Byte: o.Start.Byte}
	end := hcl.Pos{Line: o.End.Line, Column: o.End.Column, Byte: o.End.Byte}
	if end.Line == 0 {
		end = start
	}
	return &hcl.Range{Filename: o.File, Start: start, End: end}
}
