package engine

import (
	"bytes"
	"strings"
	"testing"
)

// save sends a plan through a file, as plan --out does.
func save(t *testing.T, p *Plan) *Plan {
	t.Helper()
	back, err := DecodePlan(CanonicalJSON(p))
	if err != nil {
		t.Fatal(err)
	}
	return back
}

func TestCompareSaved(t *testing.T) {
	model := func(n int64) Declared {
		return declare("a", "args.len", n, "env.K", NewSecret("w", "k"), "serve:port", int64(1))
	}
	base := scene{now: []Declared{model(2)}, recorded: []Declared{model(1)}}
	saved := MakePlan(base.input(t))
	saved.Inputs = []Input{{"models.hcl", "1"}, {"gone.hcl", "1"}}
	saved = save(t, saved)
	tests := []struct {
		name    string
		scene   scene
		edit    func(*Plan)
		refused bool
		want    string
	}{
		{"the same", base, nil, false, ""},
		{"the value moved on", scene{now: []Declared{model(3)}, recorded: []Declared{model(1)}}, nil, true, "args.len was to become 2"},
		{"it is done already", scene{now: []Declared{model(1)}, recorded: []Declared{model(1)}}, nil, true, "not needed any more"},
		{"the world moved", scene{now: []Declared{model(2)}, recorded: []Declared{model(1)}, running: map[string]State{"a": StateGone}}, nil, true, "the reason is another one"},
		{"another apply came first", base, func(p *Plan) { p.Serial++ }, true, "went from 4 to 5"},
		{"another state", base, func(p *Plan) { p.Lineage = "other" }, true, "lineage"},
		{"another workspace", base, func(p *Plan) { p.Workspace = "x" }, true, "workspace"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fresh := MakePlan(tt.scene.input(t))
			if tt.edit != nil {
				tt.edit(fresh)
			}
			s := CompareSaved(saved, fresh)
			if s.Refused() != tt.refused || !strings.Contains(s.Snapshot+s.Difference, tt.want) {
				t.Errorf("%+v, want refused=%v with %q", s, tt.refused, tt.want)
			}
		})
	}
	fresh := MakePlan(base.input(t))
	fresh.Inputs = []Input{{"models.hcl", "2"}, {"new.hcl", "1"}}
	if got := strings.Join(CompareSaved(saved, fresh).Inputs, " "); got != "gone.hcl models.hcl new.hcl" {
		t.Errorf("moved inputs: %s", got)
	}
}

func TestDecodePlanRefuses(t *testing.T) {
	p := MakePlan(scene{now: []Declared{declare("a", "args.len", int64(2), "serve:port", int64(1))}}.input(t))
	good := CanonicalJSON(p)
	for name, tt := range map[string]struct {
		bytes []byte
		want  string
	}{
		"not JSON":     {[]byte("{"), "not a saved plan"},
		"cut":          {good[:len(good)/2], "it ends too early"},
		"appended":     {append(bytes.Clone(good), "\nx"...), "something follows"},
		"two":          {append(bytes.Clone(good), good...), "something follows"},
		"wrong kind":   {[]byte(`{"serial":"x"}`), "serial is a string and should not be"},
		"other major":  {bytes.Replace(good, []byte(`"format_version":"1.0"`), []byte(`"format_version":"2.0"`), 1), "reads 1.x"},
		"edited value": {bytes.Replace(good, []byte(`"after":2`), []byte(`"after":3`), 1), "edited"},
	} {
		if _, err := DecodePlan(tt.bytes); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func FuzzDecodePlan(f *testing.F) {
	f.Add([]byte(`{"format_version":"1.0","changes":[{"model":"a","fields":[{"path":"x","before":null,"after":{"$secret":"ab"}}]}]}`))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = DecodePlan(b) })
}
