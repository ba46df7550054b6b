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

// List makes one row per declared model. With a role only models that have it
// are listed, highest priority first.
func List(models []Model, snap *Snapshot, live *Observed, role string) []Row {
	rows := make([]Row, 0, len(models))
	for i := range models {
		m := &models[i]
		if _, has := m.Roles[role]; role != "" && !has {
			continue
		}
		revision := ""
		if l, ok := m.Leaf("facts.revision"); ok {
			revision, _ = l.Value.(string)
		}
		r := Row{
			Name: m.Name, Aliases: nonNil(m.Aliases), ServedName: m.ServedName, Backend: m.Backend, Source: m.Source, Revision: revision,
			Roles: m.Roles, Capabilities: m.Capabilities, Port: m.Port, GPUs: nonNil(m.GPUs), Testing: m.Testing, Deprecated: m.Deprecated,
			State: "registered",
		}
		if m.Served {
			r.State = "not applied"
		}
		if in := snap.Instance(m.Name); in != nil {
			r.Endpoint, r.MemoryBytes = in.Launch.URL, in.MemoryBytes
			r.State = stateWord(live.Recorded[m.Name].State)
		}
		rows = append(rows, r)
	}
	if role != "" {
		slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(b.Roles[role], a.Roles[role]) })
	}
	return rows
}

func stateWord(s State) string {
	if s == StateReady {
		return "serving"
	}
	return string(s)
}

func nonNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
