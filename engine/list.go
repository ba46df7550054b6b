package engine

import (
	"cmp"
	"slices"
)

// Row is one model as list and consumers see it.
type Row struct {
	Name         string           `json:"name"`
	Aliases      []string         `json:"aliases"`
	ServedName   string           `json:"served_name"`
	Backend      string           `json:"backend"`
	Source       string           `json:"source"`
	Revision     string           `json:"revision"`
	Roles        map[string]int64 `json:"roles"`
	Capabilities map[string]bool  `json:"capabilities"`
	State        string           `json:"state"` // serving, starting, hung, wrong, gone, unknown, not applied, registered
	Endpoint     string           `json:"endpoint"`
	Port         int              `json:"port"`
	GPUs         []string         `json:"gpus"`
	MemoryBytes  int64            `json:"memory_bytes"`
	Testing      bool             `json:"testing"`
	Deprecated   bool             `json:"deprecated"`
}

// List makes one row per model that is declared or recorded, sorted by name.
// With a role only models that have it are listed, highest priority first.
func List(models []Model, snap *Snapshot, live *Observed, role string) []Row {
	all := append(slices.Clone(models), onlyRecorded(models, snap)...)
	rows := make([]Row, 0, len(all))
	for i := range all {
		m := &all[i]
		if _, has := m.Roles[role]; role != "" && !has {
			continue
		}
		rows = append(rows, rowOf(m, snap.Instance(m.Name), live))
	}
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(b.Roles[role], a.Roles[role]), cmp.Compare(a.Name, b.Name))
	})
	return rows
}

// onlyRecorded are the models that no file declares any more, as the snapshot
// has them: they may still run.
func onlyRecorded(models []Model, snap *Snapshot) []Model {
	if snap == nil {
		return nil
	}
	declared := make(map[string]bool, len(models))
	for i := range models {
		declared[models[i].Name] = true
	}
	var out []Model
	for i := range snap.Models {
		if e := &snap.Models[i]; !declared[e.Name] {
			out = append(out, e.model())
		}
	}
	return out
}

// model is a recorded entry in the form of a declared one. What this version
// cannot read of it is left out.
func (e *Entry) model() Model {
	leaves := e.leaves()
	m := Model{Name: e.Name, Served: e.Served}
	for _, path := range sortedKeys(leaves) {
		m.Leaves = append(m.Leaves, Leaf{Path: path, Value: leaves[path]})
	}
	m.Spec, _ = specOf(e.Name, m.Leaves)
	return m
}

func rowOf(m *Model, in *Instance, live *Observed) Row {
	r := Row{
		Name: m.Name, Aliases: nonNil(m.Aliases), ServedName: m.ServedName, Backend: m.Backend, Source: m.Source,
		Roles: orEmpty(m.Roles), Capabilities: orEmpty(m.Capabilities), Port: m.Port, GPUs: nonNil(m.GPUs),
		Testing: m.Testing, Deprecated: m.Deprecated, State: "registered",
	}
	if l, ok := m.Leaf("facts.revision"); ok {
		r.Revision, _ = l.Value.(string)
	}
	if m.Served {
		r.State = "not applied"
	}
	if in != nil {
		r.Endpoint, r.MemoryBytes, r.Port = in.Launch.URL, in.MemoryBytes, in.Launch.Port
		r.State = stateWord(live.Recorded[m.Name].State)
	}
	return r
}

func stateWord(s State) string {
	if s == StateReady {
		return "serving"
	}
	return string(s)
}

func orEmpty[T any](m map[string]T) map[string]T {
	if m == nil {
		return map[string]T{}
	}
	return m
}

func nonNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
