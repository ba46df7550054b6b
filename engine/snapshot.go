package engine

// SnapshotVersion is the format of snapshot.json.
const SnapshotVersion = "1.0"

// Snapshot is what the last apply left: the merged entries, which consumers
// read, and the running instances. Lineage is made with the first snapshot and
// never changes; Serial grows by one with every write.
type Snapshot struct {
	FormatVersion string     `json:"format_version"`
	Lineage       string     `json:"lineage"`
	Serial        int64      `json:"serial"`
	Workspace     string     `json:"workspace"`
	Models        []Entry    `json:"models"`    // sorted by name
	Instances     []Instance `json:"instances"` // sorted by model
}

// Entry is one merged model as recorded. Values nests the leaves (secrets as
// hashes); Origins maps a path to file:line.
type Entry struct {
	Name    string            `json:"name"`
	Served  bool              `json:"served"`
	Values  map[string]any    `json:"values"`
	Origins map[string]string `json:"origins"`
}

// Entry finds a recorded model by name.
func (s *Snapshot) Entry(name string) *Entry {
	if s == nil {
		return nil
	}
	for i := range s.Models {
		if s.Models[i].Name == name {
			return &s.Models[i]
		}
	}
	return nil
}

// Instance finds a recorded instance by the model's name.
func (s *Snapshot) Instance(model string) *Instance {
	if s == nil {
		return nil
	}
	for i := range s.Instances {
		if s.Instances[i].Model == model {
			return &s.Instances[i]
		}
	}
	return nil
}
