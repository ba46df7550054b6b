package engine

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// paper is a provider without a world: what a model is told is its arguments.
type paper struct{}

func (paper) Render(m *Model, _ RenderEnv) (Launch, []Problem) {
	l := Launch{Backend: m.Backend, Argv: []string{"serve", cmp.Or(m.Facts.Path, m.Source)}, Served: append([]string{m.ServedName}, m.Aliases...), Port: m.Port, GPUs: m.GPUs}
	for _, k := range sortedKeys(m.Args) {
		l.Argv = append(l.Argv, k, FormatValue(m.Args[k]))
	}
	return l, nil
}

func (paper) Effect(path string) Effect {
	if Root(path) == "facts" {
		return EffectHot // what it changes of the launch is what counts
	}
	if a, ok := LookupAttribute(Root(path)); ok {
		return a.Effect
	}
	return EffectHot
}

func (paper) Inspect(context.Context, Instance, InspectOptions) (Live, error) { panic("pure") }
func (paper) Start(context.Context, Launch, StartOptions) (Instance, error)   { panic("pure") }
func (paper) Stop(context.Context, Instance, StopOptions) error               { panic("pure") }
func (paper) Memory(m *Model, g GPU) (int64, bool) {
	u, ok := m.Args["util"].(float64)
	return int64(u * float64(g.Memory)), ok
}

var papers = map[string]Provider{"paper": paper{}, "other": paper{}}

// declare makes a declared model; pairs with a "serve:" prefix go to the serve block.
func declare(name string, pairs ...any) Declared {
	model := map[string]any{"source": "hf://a/" + name, "backend": "paper"}
	serve := map[string]any{}
	d := Declared{Name: name}
	for i := 0; i < len(pairs); i += 2 {
		if path, ok := strings.CutPrefix(pairs[i].(string), "serve:"); ok {
			d.Served = true
			serve[path] = pairs[i+1]
		} else {
			model[path] = pairs[i+1]
		}
	}
	build := func(kind LayerKind, values map[string]any) Layer {
		var l Layer
		for i, p := range sortedKeys(values) {
			l = append(l, Assignment{p, values[p], Origin{Layer: kind, File: name + ".hcl", Start: Pos{Line: i + 1}}})
		}
		return l
	}
	d.Layers = []Layer{build(LayerModel, model), build(LayerServe, serve)}
	return d
}

// scene is a plan to be: what is declared now and what the last apply recorded.
type scene struct {
	now      []Declared
	recorded []Declared
	running  map[string]State // of recorded, served models; default ready
	moves    []Move
	removals []Removal
	mismatch map[string]Mismatch
	left     []Live // unfinished starts
	facts    map[string]Artifact
	edit     func(*PlanInput)
}

var ws = Workspace{Name: "gpu0", GPUs: []GPU{{ID: "0", Memory: 16 << 30, Used: -1}}}

func desired(t testing.TB, ds []Declared, facts map[string]Artifact) ([]Model, map[string]*Launch) {
	t.Helper()
	models, problems := Desire(&Config{Models: ds, Workspace: ws}, func(s string) (Artifact, bool) { a, ok := facts[s]; return a, ok })
	launches, more := Render(models, papers, ws)
	if all := append(problems, more...); HasErrors(all) {
		t.Fatalf("unexpected: %v", all)
	}
	return models, launches
}

func (s scene) input(t testing.TB) PlanInput {
	t.Helper()
	models, launches := desired(t, s.now, s.facts)
	in := PlanInput{Workspace: ws, Desired: models, Launches: launches, Providers: papers, Moves: s.moves, Removals: s.removals}
	in.Live = &Observed{Recorded: map[string]Live{}, Unfinished: s.left}
	if s.recorded != nil {
		snap := &Snapshot{Serial: 4, Lineage: "l", Workspace: "gpu0"}
		old, oldLaunches := desired(t, s.recorded, nil)
		for i := range old {
			m := &old[i]
			snap.Models = append(snap.Models, RecordEntry(m))
			if l := oldLaunches[m.Name]; l != nil && s.running[m.Name] != "never" {
				inst := Instance{Model: m.Name, Backend: m.Backend, ID: "1", Token: "t-" + m.Name, Pid: 100 + i, Launch: *l, LaunchDigest: l.Digest(), ReadySeconds: 95, MemoryBytes: 5 << 30}
				snap.Instances = append(snap.Instances, inst)
				live := Live{Instance: inst, State: StateReady}
				if st := s.running[m.Name]; st != "" {
					live.State, live.Detail = st, "seen as "+string(st)
				}
				if mm, ok := s.mismatch[m.Name]; ok {
					live.Mismatches = []Mismatch{mm}
				}
				in.Live.Recorded[m.Name] = live
			}
		}
		in.Snapshot = snap
	}
	if s.edit != nil {
		s.edit(&in)
	}
	return in
}

// story writes a plan as one line per change.
func story(p *Plan) string {
	var b strings.Builder
	for _, c := range p.Changes {
		fmt.Fprintf(&b, "%s %s:", c.Action, c.Model)
		for _, r := range c.Reasons {
			fmt.Fprintf(&b, " %s", r.Code)
			if r.Path != "" {
				fmt.Fprintf(&b, "(%s)", r.Path)
			}
		}
		if c.Interrupts {
			b.WriteString(" interrupts")
		}
		if c.Downtime != nil {
			fmt.Fprintf(&b, " %gs", *c.Downtime)
		}
		if len(c.Leftovers) > 0 {
			fmt.Fprintf(&b, " leftovers=%d", len(c.Leftovers))
		}
		b.WriteByte('\n')
	}
	for _, d := range p.Drift {
		fmt.Fprintf(&b, "drift %s: %s %s\n", d.Model, d.Code, d.Path)
	}
	for _, u := range p.Unseen {
		fmt.Fprintf(&b, "unseen %s: %s\n", u.Model, u.Detail)
	}
	for _, pr := range p.Problems {
		fmt.Fprintf(&b, "%s %s: %s\n", pr.Severity, pr.Model, pr.Code)
	}
	return b.String()
}

func TestMakePlan(t *testing.T) {
	llama := declare("llama", "args.len", int64(2048), "serve:port", int64(8001), "serve:gpus", []any{"0"})
	edited := declare("llama", "args.len", int64(4096), "serve:port", int64(8001), "serve:gpus", []any{"0"})
	hot := declare("llama", "args.len", int64(2048), "roles.chat", int64(50), "serve:port", int64(8001), "serve:gpus", []any{"0"})
	unserved := declare("llama", "args.len", int64(2048))
	protected := declare("llama", "args.len", int64(2048), "lifecycle.prevent_stop", true, "serve:port", int64(8001))
	tests := []struct {
		name string
		scene
		want string
	}{
		{"first apply", scene{now: []Declared{llama}}, "create llama: new"},
		{"nothing to do", scene{now: []Declared{llama}, recorded: []Declared{llama}}, ""},
		{"an argument changed", scene{now: []Declared{edited}, recorded: []Declared{llama}},
			"restart llama: config_changed(args.len) interrupts 95s"},
		{"a role changed", scene{now: []Declared{hot}, recorded: []Declared{llama}}, "update llama: config_changed(roles.chat)"},
		{"other weights", scene{now: []Declared{declare("llama", "source", "hf://b/llama", "args.len", int64(2048), "serve:port", int64(8001), "serve:gpus", []any{"0"})}, recorded: []Declared{llama}},
			"replace llama: config_changed(source) interrupts 95s"},
		{"the block is gone", scene{recorded: []Declared{llama}}, "stop llama: removed interrupts"},
		{"the block is gone, nothing ran", scene{recorded: []Declared{unserved}}, "forget llama: removed"},
		{"the block is gone, to be forgotten", scene{recorded: []Declared{llama}, removals: []Removal{{Model: "llama"}}}, "forget llama: removed"},
		{"no longer served", scene{now: []Declared{unserved}, recorded: []Declared{llama}}, "stop llama: removed interrupts"},
		{"registered only", scene{now: []Declared{unserved}}, "create llama: new"},
		{"registered and unchanged", scene{now: []Declared{unserved}, recorded: []Declared{unserved}}, ""},
		{"killed behind our back", scene{now: []Declared{llama}, recorded: []Declared{llama}, running: map[string]State{"llama": StateGone}},
			"restart llama: process_gone\ndrift llama: process_gone "},
		{"the leader is gone, the engine is not", scene{now: []Declared{llama}, recorded: []Declared{llama}, running: map[string]State{"llama": StateOrphan}},
			"restart llama: process_gone\ndrift llama: process_gone "},
		{"hung", scene{now: []Declared{llama}, recorded: []Declared{llama}, running: map[string]State{"llama": StateHung}},
			"restart llama: hung\ndrift llama: hung "},
		{"somebody else's is in its place", scene{now: []Declared{llama}, recorded: []Declared{llama}, running: map[string]State{"llama": StateForeign}},
			"restart llama: answers_differently\ndrift llama: answers_differently \nerror llama: foreign"},
		{"somebody else's is in its place, and it goes", scene{recorded: []Declared{llama}, running: map[string]State{"llama": StateForeign}},
			"forget llama: removed\ndrift llama: answers_differently "},
		{"could not be looked at", scene{now: []Declared{llama}, recorded: []Declared{llama}, running: map[string]State{"llama": StateUnknown}}, "unseen llama: seen as unknown\nwarning llama: not_seen"},
		{"answers another length", scene{now: []Declared{llama}, recorded: []Declared{llama}, mismatch: map[string]Mismatch{"llama": {ReasonAnswersDifferently, "args.len", int64(2048), int64(128000)}}},
			"restart llama: answers_differently(args.len) interrupts 95s\ndrift llama: answers_differently args.len"},
		{"served in the record, never started", scene{now: []Declared{llama}, recorded: []Declared{llama}, running: map[string]State{"llama": "never"}}, "create llama: unfinished"},
		{"renamed, told the same", scene{
			now:      []Declared{declare("lama2", "source", "hf://a/llama", "served_name", "l", "serve:port", int64(1))},
			recorded: []Declared{declare("llama", "served_name", "l", "serve:port", int64(1))},
			moves:    []Move{{From: "llama", To: "lama2"}}}, "update lama2: moved"},
		{"renamed, told another name", scene{
			now:      []Declared{declare("lama2", "source", "hf://a/llama", "serve:port", int64(1))},
			recorded: []Declared{declare("llama", "serve:port", int64(1))},
			moves:    []Move{{From: "llama", To: "lama2"}}}, "restart lama2: config_changed(served_name) moved interrupts 95s"},
		{"moved and still declared", scene{now: []Declared{llama}, recorded: []Declared{llama}, moves: []Move{{From: "llama", To: "x"}}}, "error llama: moved_still_declared"},
		{"protected", scene{recorded: []Declared{protected}}, "stop llama: removed interrupts\nerror llama: prevent_stop"},
		{"protected and allowed", scene{recorded: []Declared{protected}, edit: func(in *PlanInput) { in.AllowStop = []string{"llama"} }}, "stop llama: removed interrupts"},
		{"destroy", scene{now: []Declared{llama}, recorded: []Declared{llama}, edit: func(in *PlanInput) { in.Destroy = true }}, "stop llama: removed interrupts"},
		{"stops come before starts", scene{now: []Declared{declare("a", "serve:port", int64(8002))}, recorded: []Declared{declare("z", "serve:port", int64(8001))}},
			"stop z: removed interrupts\ncreate a: new"},
		{"adopt what somebody started", scene{now: []Declared{llama}, edit: func(in *PlanInput) { in.Adoptions = []Adoption{{Model: "llama", Pid: 7}} }}, "adopt llama: adopted"},
		{"facts that change nothing that is told", scene{now: []Declared{llama}, recorded: []Declared{llama}, facts: map[string]Artifact{"hf://a/llama": {Source: "hf://a/llama", Facts: Facts{ContextLength: 4096}}}},
			"update llama: facts_changed(facts.complete) facts_changed(facts.context_length)"},
		{"facts moved the weights", scene{now: []Declared{llama}, recorded: []Declared{llama}, facts: map[string]Artifact{"hf://a/llama": {Source: "hf://a/llama", Facts: Facts{Path: "/w/llama"}}}},
			"restart llama: facts_changed(facts.complete) facts_changed(facts.path) facts_changed(launch) interrupts 95s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := tt.input(t)
			if got := strings.TrimSpace(story(MakePlan(in))); got != strings.TrimSpace(tt.want) {
				t.Errorf("plan:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
}

// A run that was killed leaves starts behind: the one that is wanted is kept,
// whatever else is there goes.
func TestPlanFinishesWhatWasInterrupted(t *testing.T) {
	llama := declare("llama", "args.len", int64(1), "serve:port", int64(8001))
	_, launches := desired(t, []Declared{llama}, nil)
	started := func(id string, digest string, st State) Live {
		return Live{State: st, Instance: Instance{Model: "llama", Backend: "paper", ID: id, Token: "u" + id, Pid: 7, Launch: *launches["llama"], LaunchDigest: digest}}
	}
	good := launches["llama"].Digest()
	tests := []struct {
		name string
		left []Live
		want string
	}{
		{"ready and as wanted", []Live{started("1", good, StateReady)}, "adopt llama: unfinished"},
		{"still loading", []Live{started("1", good, StateStarting)}, "adopt llama: unfinished"},
		{"something else was started", []Live{started("1", "old", StateReady)}, "restart llama: unfinished config_changed"},
		{"never came up", []Live{started("1", good, StateGone)}, "create llama: new"},
		{"only its engine is left", []Live{started("1", good, StateOrphan)}, "create llama: new leftovers=1"},
		{"two starts", []Live{started("1", "old", StateStarting), started("2", good, StateReady)}, "restart llama: unfinished"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := MakePlan(scene{now: []Declared{llama}, left: tt.left}.input(t))
			if got := story(p); !strings.HasPrefix(got, tt.want) {
				t.Errorf("plan:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
}

// A second start beside a healthy instance must go, even if nothing else changes.
func TestPlanClearsLeftovers(t *testing.T) {
	llama := declare("llama", "serve:port", int64(8001))
	left := Live{State: StateReady, Instance: Instance{Model: "llama", Backend: "paper", ID: "2", Token: "u2"}}
	p := MakePlan(scene{now: []Declared{llama}, recorded: []Declared{llama}, left: []Live{left}}.input(t))
	if got := strings.TrimSpace(story(p)); got != "update llama: unfinished leftovers=1" {
		t.Error(got)
	}
}

// Nobody looked: the snapshot is believed, and the plan says so.
func TestPlanWithoutRefresh(t *testing.T) {
	llama := declare("llama", "serve:port", int64(8001))
	in := scene{now: []Declared{llama}, recorded: []Declared{llama}}.input(t)
	in.Live = nil
	p := MakePlan(in)
	if p.Refreshed || !p.Empty() || len(p.Drift) > 0 {
		t.Errorf("refreshed %v, changes %d, drift %d", p.Refreshed, p.Summary.Changes(), len(p.Drift))
	}
}

func TestWhoMovedAField(t *testing.T) {
	world := map[string]Mismatch{"llama": {ReasonProcessDiffers, "args.len", int64(2), int64(9)}}
	model := func(n int64) Declared { return declare("llama", "args.len", n, "serve:port", int64(1)) }
	for want, s := range map[MovedBy]scene{
		MovedByConfig: {now: []Declared{model(3)}, recorded: []Declared{model(2)}},
		MovedByWorld:  {now: []Declared{model(2)}, recorded: []Declared{model(2)}, mismatch: world},
		MovedByBoth:   {now: []Declared{model(3)}, recorded: []Declared{model(2)}, mismatch: world},
	} {
		f := MakePlan(s.input(t)).Changes[0].Fields
		if len(f) != 1 || f[0].MovedBy != want || f[0].Origin.File != "llama.hcl" {
			t.Errorf("%s: %+v", want, f)
		}
		if want != MovedByConfig && f[0].Before != int64(9) {
			t.Errorf("%s: before is %v, want what runs", want, f[0].Before)
		}
	}
}

func TestGPUBudget(t *testing.T) {
	a := declare("a", "args.util", 0.5, "serve:port", int64(1), "serve:gpus", []any{"0"})
	b := declare("b", "serve:port", int64(2), "serve:gpus", []any{"0"})
	if got := MakePlan(scene{now: []Declared{a}}.input(t)).GPUs[0].After; got != 8<<30 {
		t.Errorf("after = %d, want 8 GiB", got)
	}
	if got := MakePlan(scene{now: []Declared{a, b}}.input(t)).GPUs[0].After; got != -1 {
		t.Errorf("after = %d with a model of unknown size, want unknown", got)
	}
	in := scene{now: []Declared{a}, recorded: []Declared{a}}.input(t)
	in.Workspace.GPUs = []GPU{{ID: "0", Memory: 16 << 30, Used: 7 << 30, Detected: true}}
	if got := MakePlan(in).GPUs[0].After; got != 8<<30+2<<30 {
		t.Errorf("after = %d, want ours and 2 GiB of a stranger", got)
	}
}

// Same input in any order: the same bytes.
func TestPlanIsDeterministic(t *testing.T) {
	var now, before []Declared
	for i := range 30 {
		now = append(now, declare(fmt.Sprint("m", i), "args.len", int64(i), "args.x", "y", "serve:port", int64(9000+i)))
		if i%2 == 0 {
			before = append(before, declare(fmt.Sprint("m", i), "args.len", int64(i+i%3), "serve:port", int64(9000+i)))
		}
	}
	var want string
	for range 20 {
		rand.Shuffle(len(now), func(i, j int) { now[i], now[j] = now[j], now[i] })
		in := scene{now: now, recorded: before}.input(t)
		rand.Shuffle(len(in.Snapshot.Models), func(i, j int) {
			s := in.Snapshot.Models
			s[i], s[j] = s[j], s[i]
		})
		in.Live.Recorded = maps.Collect(maps.All(in.Live.Recorded))
		got := string(CanonicalJSON(MakePlan(in)))
		if want == "" {
			want = got
		}
		if got != want {
			t.Fatal("two plans of one input differ")
		}
	}
}

// The digest is about what was approved, not about where it is written.
func TestDigestIgnoresPlaces(t *testing.T) {
	d := declare("a", "args.len", int64(1), "serve:port", int64(1))
	one := MakePlan(scene{now: []Declared{d}}.input(t))
	moved := slices.Clone(d.Layers[0])
	for i := range moved {
		moved[i].Origin.Start.Line += 10
	}
	d.Layers = []Layer{moved, d.Layers[1]}
	two := MakePlan(scene{now: []Declared{d}}.input(t))
	if one.Digest != two.Digest {
		t.Error("a comment above the block changes the digest")
	}
	three := MakePlan(scene{now: []Declared{declare("a", "args.len", int64(2), "serve:port", int64(1))}}.input(t))
	if three.Digest == one.Digest {
		t.Error("another value has the same digest")
	}
}

func TestCrossChecks(t *testing.T) {
	ds := []Declared{
		declare("a", "serve:port", int64(8001), "aliases", []any{"chat"}),
		declare("b", "serve:port", int64(8001), "aliases", []any{"chat"}, "source", "hf://a/a"),
		declare("c", "serve:port", int64(8003), "serve:gpus", []any{"1"}),
		declare("d", "serve:port", int64(8004), "backend", "papr"),
	}
	models, problems := Desire(&Config{Models: ds, Workspace: ws}, func(string) (Artifact, bool) { return Artifact{}, false })
	_, more := Render(models, papers, ws)
	var got []string
	for _, p := range append(problems, more...) {
		got = append(got, p.Code+" "+p.Model+" "+p.Origin.Place())
	}
	want := []string{"name_conflict b b.hcl:1", "weights_twice b b.hcl:3", "port_conflict b b.hcl:1", "gpu_unknown c c.hcl:1", "backend_unknown d d.hcl:1"}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("problems:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestExplain(t *testing.T) {
	models, _ := desired(t, []Declared{declare("a", "args.len", int64(4), "serve:args.len", int64(2), "serve:port", int64(1))}, nil)
	e := RecordEntry(&models[0])
	e.Values["args"] = map[string]any{"len": int64(4), "old": true}
	x := Explain(&models[0], &e, &Live{State: StateReady, Fields: map[string]Value{"args.len": int64(4)}}, "args")
	if len(x.Fields) != 2 {
		t.Fatalf("fields: %+v", x.Fields)
	}
	f := x.Fields[0]
	if f.Value != int64(2) || f.Snapshot != int64(4) || f.Running != int64(4) || f.Origin.Layer != LayerServe || len(f.Overrides) != 1 {
		t.Errorf("args.len: %+v", f)
	}
	if g := x.Fields[1]; g.Path != "args.old" || g.Value != nil || g.Snapshot != true || g.Seen {
		t.Errorf("args.old: %+v", g)
	}
}

func BenchmarkMergePlan(b *testing.B) {
	for _, n := range []int{10, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			ds := make([]Declared, n)
			for i := range ds {
				ds[i] = declare(fmt.Sprintf("m%05d", i), "args.len", int64(i), "args.util", 0.5, "args.eager", true, "roles.chat", int64(1), "serve:port", int64(i), "serve:gpus", []any{"0"})
			}
			b.ReportAllocs()
			for b.Loop() {
				MakePlan(scene{now: ds}.input(b))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/model")
		})
	}
}
