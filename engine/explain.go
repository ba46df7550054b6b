package engine

import "time"

// Explanation answers, for every field of a model: what value, from where, what
// it overrode, what was recorded, what runs.
type Explanation struct {
	Model  string
	Live   bool       // the running instance was asked
	Pid    int        // of the running leader; 0: none
	Since  *time.Time // when it was started
	Note   string     // what could not be looked at, or "not running"
	Fields []ExplainedField
}

// ExplainedField is one row. Recorded and Seen say whether Snapshot and Running
// are known at all.
type ExplainedField struct {
	Path      string     `json:"path"`
	Value     Value      `json:"value"`
	Origin    Origin     `json:"origin"`
	Overrides []Override `json:"overrides"`
	Snapshot  Value      `json:"snapshot"`
	Running   Value      `json:"live"`
	Recorded  bool       `json:"recorded"`
	Seen      bool       `json:"seen"`
}

// Explain puts the three states of one model side by side. prefix limits the
// answer to a field and what lies under it; empty means all. live may be nil.
func Explain(m *Model, recorded *Entry, live *Live, prefix string) Explanation {
	x := Explanation{Model: m.Name, Live: live != nil}
	if live != nil {
		x.Pid = live.Pid
		if !live.StartedAt.IsZero() {
			x.Since = &live.StartedAt
		}
		if live.State != StateReady {
			x.Note = live.Detail
		}
	}
	snapshot := recorded.leaves()
	rows := map[string]*ExplainedField{}
	row := func(path string) *ExplainedField {
		if rows[path] == nil {
			rows[path] = &ExplainedField{Path: path}
		}
		return rows[path]
	}
	for _, l := range m.Leaves {
		r := row(l.Path)
		r.Value, r.Origin, r.Overrides = l.Value, l.Origin, l.Overrides
	}
	for path, v := range snapshot {
		r := row(path)
		r.Snapshot, r.Recorded = v, true
	}
	if live != nil {
		for path, v := range live.Fields {
			r := row(path)
			r.Running, r.Seen = v, true
		}
	}
	for _, path := range sortedKeys(rows) {
		if prefix == "" || Under(path, prefix) {
			x.Fields = append(x.Fields, *rows[path])
		}
	}
	return x
}
