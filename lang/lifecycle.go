package lang

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/loadoutdev/loadout/engine"
)

// moves evaluates the moved blocks. Chains are kept as written: the engine
// follows them.
func (s *scope) moves() []engine.Move {
	var out []engine.Move
	froms, tos := map[string]hcl.Range{}, map[string]hcl.Range{}
	for _, sec := range s.doc.moved {
		from, ok := s.modelAddress(sec.attr("from"))
		to, ok2 := s.modelAddress(sec.attr("to"))
		if !ok || !ok2 {
			continue
		}
		if from == to {
			s.add(errorAt(sec.def, fmt.Sprintf("model %q is moved to itself", from), "Remove the block."))
			continue
		}
		s.stillDeclared(from, "moved", sec)
		s.onlyOnce(froms, from, sec, "is moved")
		s.onlyOnce(tos, to, sec, "is the target of a move")
		out = append(out, engine.Move{From: from, To: to, Origin: blockOrigin(sec, engine.LayerModel, "")})
	}
	for i := range out {
		if _, next := froms[out[i].To]; s.index[out[i].To] == nil && !next {
			s.undeclaredTarget(out[i].To, out[i].Origin)
		}
	}
	return out
}

func (s *scope) removals() []engine.Removal {
	var out []engine.Removal
	seen := map[string]hcl.Range{}
	for _, sec := range s.doc.removed {
		name, ok := s.modelAddress(sec.attr("from"))
		if !ok {
			continue
		}
		s.stillDeclared(name, "removed", sec)
		s.onlyOnce(seen, name, sec, "is removed")
		stop := true
		if a := sec.attr("stop"); a != nil {
			stop = s.boolean(a, nil)
		}
		out = append(out, engine.Removal{Model: name, Stop: stop, Origin: blockOrigin(sec, engine.LayerModel, "")})
	}
	return out
}

func (s *scope) adoptions() []engine.Adoption {
	var out []engine.Adoption
	seen := map[string]hcl.Range{}
	for _, sec := range s.doc.adopt {
		name, ok := s.modelAddress(sec.attr("to"))
		if !ok {
			continue
		}
		a := engine.Adoption{Model: name, Origin: blockOrigin(sec, engine.LayerModel, "")}
		if s.index[name] == nil {
			s.undeclaredTarget(name, a.Origin)
		}
		s.onlyOnce(seen, name, sec, "is adopted")
		pid, _ := s.scalar(sec.attr("pid"), engine.TypeInt).(int64)
		if pid < 0 || pid > 1<<31-1 {
			s.add(errorAt(*sec.attr("pid").at, "wrong value for pid", "It must be the number of a process."))
		}
		a.Pid = int(pid)
		out = append(out, a)
	}
	return out
}

func (s *scope) stillDeclared(name, what string, sec *section) {
	if inst := s.index[name]; inst != nil {
		s.add(errorAt(sec.def, fmt.Sprintf("model %q is %s and still declared", name, what),
			"Its block is at %s. Remove that block or this one.", place(inst.node.def)))
	}
}

func (s *scope) onlyOnce(seen map[string]hcl.Range, name string, sec *section, what string) {
	if first, ok := seen[name]; ok {
		s.add(errorAt(sec.def, fmt.Sprintf("model %q %s twice", name, what), "The other block is at %s.", place(first)))
	}
	seen[name] = sec.def
}

func (s *scope) undeclaredTarget(name string, origin engine.Origin) {
	names := slices.Sorted(maps.Keys(s.index))
	s.add(errorAt(*rangeOfOrigin(origin), fmt.Sprintf("there is no model %q", name), "The block must name a model that is declared.%s", didYouMean(name, names)))
}

// modelAddress reads model.x, model["a b"] or model.x["key"] as the name of a
// model, which need not exist any more.
func (s *scope) modelAddress(a *attribute) (string, bool) {
	if a == nil {
		return "", false // reported by the reader
	}
	t, diags := hcl.AbsTraversalForExpr(a.expr)
	if diags.HasErrors() || t.RootName() != "model" || len(t) < 2 || len(t) > 3 {
		s.add(errorAt(*a.at, a.name+" must be the address of a model", "Write model.NAME, model[\"NAME\"] or model.NAME[\"KEY\"]."))
		return "", false
	}
	label, ok := stepName(t, 1)
	key, ok2 := "", true
	if len(t) == 3 {
		key, ok2 = stepName(t, 2)
	}
	if !ok || !ok2 {
		s.add(errorAt(*a.at, a.name+" must be the address of a model", "The name must be written out as text."))
		return "", false
	}
	if len(t) == 2 {
		return label, true
	}
	if n := s.models[label]; n != nil && n.byKey[key] != nil {
		return n.byKey[key].name, true
	}
	return fmt.Sprintf("%s[%q]", label, key), true
}

// discover evaluates the discover block; nil when there is none.
func (s *scope) discover() *DiscoverBlock {
	b := s.doc.discover
	if b == nil {
		return nil
	}
	out := &DiscoverBlock{Ollama: s.text(b.attr("ollama")), HFCache: s.text(b.attr("hf_cache"))}
	if a := b.attr("hf_cache"); out.HFCache != "" {
		out.HFCache = resolvePath(out.HFCache, a.src.base, s.home)
	}
	if a := b.attr("paths"); a != nil {
		paths, _ := s.scalar(a, engine.TypeStrings).([]any)
		for _, p := range paths {
			out.Paths = append(out.Paths, resolvePath(p.(string), a.src.base, s.home))
		}
	}
	return out
}
