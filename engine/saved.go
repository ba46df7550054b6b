package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Staleness says how a plan that was made again differs from the one that was
// saved and approved. The zero value means: the same.
type Staleness struct {
	Snapshot   string   // the snapshot moved on: how
	Inputs     []string // files whose digest moved, came or went
	Difference string   // the first thing that would be done differently
}

// Refused tells whether the saved plan must not be applied. Files that moved
// without changing what will be done are only worth a note.
func (s Staleness) Refused() bool { return s.Snapshot != "" || s.Difference != "" }

// CompareSaved holds a saved plan against a fresh one.
func CompareSaved(saved, fresh *Plan) Staleness {
	var s Staleness
	switch {
	case saved.Workspace != fresh.Workspace:
		s.Snapshot = fmt.Sprintf("the plan is for workspace %q, this is %q", saved.Workspace, fresh.Workspace)
	case saved.Lineage != fresh.Lineage && saved.Lineage != "":
		s.Snapshot = "the snapshot has another lineage: it is not the one that was planned against"
	case saved.Serial != fresh.Serial:
		s.Snapshot = fmt.Sprintf("the snapshot went from %d to %d since the plan was made", saved.Serial, fresh.Serial)
	}
	s.Inputs = movedInputs(saved.Inputs, fresh.Inputs)
	if saved.Digest != fresh.Digest && s.Snapshot == "" {
		s.Difference = firstDifference(saved.Changes, fresh.Changes)
	}
	return s
}

func movedInputs(saved, fresh []Input) []string {
	sums := map[string]string{}
	for _, in := range saved {
		sums[in.Path] = in.SHA256
	}
	var moved []string
	for _, in := range fresh {
		if sums[in.Path] != in.SHA256 {
			moved = append(moved, in.Path)
		}
		delete(sums, in.Path)
	}
	moved = append(moved, sortedKeys(sums)...)
	slices.Sort(moved)
	return moved
}

// firstDifference names the first change that is not the same, in plan order.
func firstDifference(saved, fresh []Change) string {
	for i := range max(len(saved), len(fresh)) {
		switch {
		case i >= len(saved):
			return fmt.Sprintf("%s: %s, which the saved plan does not do", fresh[i].Model, fresh[i].Action)
		case i >= len(fresh):
			return fmt.Sprintf("%s: %s is not needed any more", saved[i].Model, saved[i].Action)
		}
		a, b := &saved[i], &fresh[i]
		if a.Model != b.Model || a.Action != b.Action {
			return fmt.Sprintf("the saved plan would %s %s, now it is %s %s", a.Action, a.Model, b.Action, b.Model)
		}
		if d := firstField(a, b); d != "" {
			return d
		}
	}
	return "the plan is not the one that was saved"
}

func firstField(a, b *Change) string {
	for i := range max(len(a.Fields), len(b.Fields)) {
		switch {
		case i >= len(a.Fields):
			return fmt.Sprintf("%s: %s changes too", b.Model, b.Fields[i].Path)
		case i >= len(b.Fields):
			return fmt.Sprintf("%s: %s does not change any more", a.Model, a.Fields[i].Path)
		}
		f, g := &a.Fields[i], &b.Fields[i]
		before, after := Normalize(f.Before), Normalize(f.After)
		if f.Path != g.Path || !EqualValues(before, g.Before) || !EqualValues(after, g.After) {
			return fmt.Sprintf("%s: %s was to become %s, now %s becomes %s", a.Model, f.Path, FormatValue(after), g.Path, FormatValue(g.After))
		}
	}
	if a.Launch != b.Launch {
		return a.Model + ": the backend would be told something else"
	}
	if !slices.Equal(codesOnly(a.Reasons), codesOnly(b.Reasons)) {
		return a.Model + ": the reason is another one"
	}
	return ""
}

// DecodePlan reads a plan that was saved as JSON. It refuses what is not a plan
// of a version that it knows, and a plan whose digest is not that of its
// content.
func DecodePlan(b []byte) (*Plan, error) {
	var p Plan
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode(&p); err != nil {
		return nil, fmt.Errorf("not a saved plan: %w", PlainJSON(err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not a saved plan: something follows it in the file")
	}
	if major, _, _ := strings.Cut(p.FormatVersion, "."); major != "1" {
		return nil, fmt.Errorf("saved plan has format_version %q, this loadout reads 1.x", p.FormatVersion)
	}
	for i := range p.Changes {
		for j := range p.Changes[i].Fields {
			f := &p.Changes[i].Fields[j]
			f.Before, f.After = Normalize(f.Before), Normalize(f.After)
			for k := range f.Overrides {
				f.Overrides[k].Value = Normalize(f.Overrides[k].Value)
			}
		}
	}
	if got := p.digest(); got != p.Digest {
		return nil, fmt.Errorf("the saved plan was edited or cut: its content has digest %.12s, it says %.12s", got, p.Digest)
	}
	return &p, nil
}
