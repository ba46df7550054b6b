package engine

// Diff compares a recorded entry with a desired model, field by field, and adds
// what live said. before is nil for a new model, desired for one that goes.
// effect tells what each field costs. unchanged counts the fields that agree.
func Diff(before *Entry, desired *Model, live *Live, effect func(path string) Effect) (fields []FieldChange, unchanged int) {
	recorded := before.leaves()
	world := map[string]Value{}
	if live != nil {
		for _, m := range live.Mismatches {
			world[m.Path] = m.Live
		}
	}
	if desired != nil {
		if before == nil {
			fields = make([]FieldChange, 0, len(desired.Leaves))
		}
		for i := range desired.Leaves {
			l := &desired.Leaves[i]
			old, had := recorded[l.Path]
			delete(recorded, l.Path)
			seen, moved := world[l.Path]
			delete(world, l.Path)
			if EqualValues(old, l.Value) && !moved {
				if had {
					unchanged++
				}
				continue
			}
			f := FieldChange{Path: l.Path, Before: old, After: l.Value, Effect: effect(l.Path), MovedBy: MovedByConfig, Origin: l.Origin, Overrides: l.Overrides}
			if moved {
				f.MovedBy = MovedByWorld
				if !EqualValues(old, l.Value) {
					f.MovedBy = MovedByBoth
				}
				f.Before = seen
			}
			fields = append(fields, f)
		}
	}
	for _, path := range sortedKeys(recorded) {
		f := FieldChange{Path: path, Before: recorded[path], Effect: effect(path), MovedBy: MovedByConfig}
		if place := before.Origins[path]; place != "" {
			f.Overrides = []Override{{Value: recorded[path], Origin: Origin{File: place}}}
		}
		fields = append(fields, f)
	}
	if live != nil {
		fields = append(fields, worldOnly(live, world)...)
	}
	return sortFields(fields), unchanged
}

// worldOnly are mismatches of fields that the files do not name: the files of
// the artifact, an argument that only the running process has.
func worldOnly(live *Live, world map[string]Value) []FieldChange {
	var fields []FieldChange
	for _, m := range live.Mismatches {
		if _, left := world[m.Path]; left {
			fields = append(fields, FieldChange{Path: m.Path, Before: m.Live, After: m.Snapshot, Effect: EffectRestart, MovedBy: MovedByWorld})
			delete(world, m.Path)
		}
	}
	return fields
}
