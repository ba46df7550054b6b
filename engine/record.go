package engine

// RecordEntry is the entry that the snapshot keeps of a model: its values
// without what was unset, and where each came from.
func RecordEntry(m *Model) Entry {
	e := Entry{Name: m.Name, Served: m.Served, Values: map[string]any{}, Origins: make(map[string]string, len(m.Leaves))}
	for i := range m.Leaves {
		l := &m.Leaves[i]
		if l.Value == nil {
			continue
		}
		nest(e.Values, SplitPath(l.Path), l.Value)
		e.Origins[l.Path] = l.Origin.Place()
	}
	return e
}

// nest puts v into m under keys, making the objects on the way.
func nest(m map[string]any, keys []string, v Value) {
	for _, k := range keys[:len(keys)-1] {
		next, ok := m[k].(map[string]any)
		if !ok {
			next = map[string]any{}
			m[k] = next
		}
		m = next
	}
	m[keys[len(keys)-1]] = v
}

// leaves flattens the recorded values; nil gives none.
func (e *Entry) leaves() map[string]Value {
	out := map[string]Value{}
	if e == nil {
		return out
	}
	for k, v := range e.Values {
		Flatten(JoinPath("", k), v, func(path string, v Value) { out[path] = v })
	}
	return out
}

// Lookup returns a recorded value by its keys; nil when it is not there.
func (e *Entry) Lookup(keys ...string) Value {
	if e == nil {
		return nil
	}
	var v Value = e.Values
	for _, k := range keys {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[k]
	}
	return v
}
