package apply

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

var testTime = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

func TestActions(t *testing.T) {
	secret := func(m engine.Model, plain string) engine.Model {
		m.Env = map[string]any{"KEY": engine.NewSecret("gpu", plain)}
		m.Leaves = slices.Insert(m.Leaves, 2, engine.Leaf{Path: `env.KEY`, Value: m.Env["KEY"]})
		return m
	}
	stopped := func(m engine.Model) engine.Model { m.Served = false; return m }
	tests := map[string]struct {
		before, after []engine.Model
		removals      []engine.Removal
		moves         []engine.Move
		effects       []string // of the second apply
		actions       string
		leftRunning   bool
	}{
		"create":     {nil, []engine.Model{model("a", "1", 1, "0")}, nil, nil, []string{"start a 1"}, "create", false},
		"register":   {nil, []engine.Model{registeredOnly("a")}, nil, nil, []string{}, "create", false},
		"restart":    {[]engine.Model{model("a", "1", 1, "0")}, []engine.Model{model("a", "2", 1, "0")}, nil, nil, []string{"stop a", "start a 2"}, "restart", false},
		"rotate":     {[]engine.Model{secret(model("a", "1", 1, "0"), "old")}, []engine.Model{secret(model("a", "1", 1, "0"), "new")}, nil, nil, []string{"stop a", "start a 1"}, "restart", false},
		"stop":       {[]engine.Model{model("a", "1", 1, "0")}, nil, nil, nil, []string{"stop a"}, "stop", false},
		"unserve":    {[]engine.Model{model("a", "1", 1, "0")}, []engine.Model{stopped(model("a", "1", 1, "0"))}, nil, nil, []string{"stop a"}, "stop", false},
		"forget":     {[]engine.Model{model("a", "1", 1, "0")}, nil, []engine.Removal{{Model: "a"}}, nil, []string{}, "forget", true},
		"hot update": {[]engine.Model{model("a", "1", 1, "0")}, []engine.Model{labelled(model("a", "1", 1, "0"), "MIT")}, nil, nil, []string{}, "update", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			h.desired = tt.before
			h.apply()
			h.log = nil
			h.desired, h.removals, h.moves = tt.after, tt.removals, tt.moves
			p := h.plan()
			if len(p.Changes) != 1 || string(p.Changes[0].Action) != tt.actions {
				t.Fatalf("plan: %s", describe(p))
			}
			res := h.carryOut(context.Background(), p)
			wantStatuses(t, res, "a applied")
			wantEffects(t, h, tt.effects...)
			if tt.leftRunning {
				if h.snapshot().Instance("a") != nil || len(h.running()) != 1 {
					t.Errorf("forget touched what runs, or kept the record")
				}
				return
			}
			h.synced()
		})
	}
}

func TestManyRecordsAreOneWrite(t *testing.T) {
	h := newHost(t)
	for i := range 500 {
		h.desired = append(h.desired, registeredOnly(fmt.Sprintf("m%03d", i)))
	}
	if res := h.apply(); !res.OK() || res.Serial != 1 {
		t.Errorf("serial %d", res.Serial)
	}
	h.synced()
}

func TestReload(t *testing.T) {
	h := newHost(t)
	h.desired = []engine.Model{model("a", "1", 1, "0")}
	h.apply()
	p := h.plan()
	next := render(&h.desired[0])
	next.Settings = map[string]any{"keep_alive": "1h"}
	before := *h.snapshot().Instance("a")
	p.Changes = []engine.Change{{Model: "a", Action: engine.ActionUpdate, Served: true, Desired: &h.desired[0],
		Start: &next, Running: &before, Previous: h.snapshot().Entry("a")}}
	wantStatuses(t, h.carryOut(context.Background(), p), "a applied")
	after := h.snapshot().Instance("a")
	if after.Token != before.Token || after.LaunchDigest != next.Digest() || after.ID != before.ID {
		t.Errorf("after the reload: %+v", after)
	}
}

func TestMoveKeepsTheProcess(t *testing.T) {
	h := newHost(t)
	h.desired = []engine.Model{registeredOnly("old")}
	h.apply()
	h.desired = []engine.Model{registeredOnly("new")}
	h.moves = []engine.Move{{From: "old", To: "new"}}
	wantStatuses(t, h.apply(), "new applied")
	if s := h.snapshot(); s.Entry("old") != nil || s.Entry("new") == nil {
		t.Errorf("after the move: %+v", s.Models)
	}
	h.synced()
}

func TestAdoptBlock(t *testing.T) {
	h := newHost(t)
	h.desired = []engine.Model{model("a", "1", 1, "0")}
	h.adopts = []engine.Adoption{{Model: "a", Pid: 77}}
	h.adopt[77] = engine.Instance{Pid: 77, StartTime: 5}
	h.procs[""] = &proc{Instance: engine.Instance{Model: "a", Pid: 77, Launch: render(&h.desired[0])}, state: engine.StateReady}
	wantStatuses(t, h.apply(), "a applied")
	in := h.snapshot().Instance("a")
	if in == nil || in.Pid != 77 || !in.Adopted || in.Token != "" {
		t.Errorf("adopted: %+v", in)
	}
	h.synced()
}

func TestPutBack(t *testing.T) {
	h := newHost(t)
	good := model("a", "good", 1, "0")
	h.desired = []engine.Model{good}
	h.apply()
	serial := h.snapshot().Serial
	h.bad["bad"] = true
	h.desired = []engine.Model{model("a", "bad", 1, "0"), model("b", "1", 2, "0"), model("c", "1", 3, "1")}
	var last Event
	res := h.apply(func(o *Options) {
		o.Events = func(e Event) {
			if e.Model == "a" {
				last = e
			}
		}
	})
	wantStatuses(t, res, "a put_back, b not_started, c applied")
	if last.Kind != WasPutBack || last.Detail != "as in snapshot 1" || serial != 1 {
		t.Errorf("last event %+v", last)
	}
	a := res.Outcomes[slices.IndexFunc(res.Outcomes, func(o Outcome) bool { return o.Model == "a" })]
	if a.Start == nil || a.Start.Class != "out_of_memory" || a.Pid == 0 || res.OK() {
		t.Errorf("outcome %+v", a)
	}
	h.recordedIsRunning()
	if got := h.running(); !maps.Equal(got, map[string]string{"a": "good", "c": "1"}) {
		t.Errorf("running %v", got)
	}
	if v := h.snapshot().Entry("a").Lookup("args", "x"); v != "good" {
		t.Errorf("entry says x = %v", v)
	}
	h.desired[0] = good
	wantStatuses(t, h.apply(), "b applied")
	h.synced()
}

func TestLeave(t *testing.T) {
	h := newHost(t)
	h.desired = []engine.Model{model("a", "good", 1, "0")}
	h.apply()
	h.bad["bad"] = true
	h.desired = []engine.Model{model("a", "bad", 1, "0")}
	wantStatuses(t, h.apply(func(o *Options) { o.OnFailure = engine.Leave }), "a failed")
	h.recordedIsRunning()
	if s := h.snapshot(); len(h.running()) != 0 || len(s.Instances) != 0 || s.Entry("a") == nil {
		t.Errorf("left: running %v, snapshot %+v", h.running(), s)
	}
	h.bad = map[string]bool{}
	wantStatuses(t, h.apply(), "a applied")
	h.synced()
}

func TestPutBackSecretsAndFiles(t *testing.T) {
	for _, known := range []bool{true, false} {
		h := newHost(t)
		m := model("a", "good", 1, "0")
		m.Env = map[string]any{"KEY": engine.NewSecret("gpu", "old")}
		h.desired = []engine.Model{m}
		p := h.plan()
		p.Changes[0].Start.Files = []engine.File{{Name: "t.jinja", SHA256: "2689367b205c16ce32ed4200942b8b8b1e262dfc70d9bc9fbc77c49699a4f1df", Content: []byte("ok")}}
		h.carryOut(context.Background(), p)
		dir := filepath.Join(h.store.Dir(), h.snapshot().Instance("a").Dir)
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, "t.jinja"), []byte("ok"), 0o600)); err != nil {
			t.Fatal(err)
		}
		if known {
			h.env["KEY"] = "old"
		}
		h.bad["bad"] = true
		next := model("a", "bad", 1, "0")
		next.Env = map[string]any{"KEY": engine.NewSecret("gpu", "new")}
		h.desired = []engine.Model{next}
		res := h.apply()
		if known {
			wantStatuses(t, res, "a put_back")
			if in := h.snapshot().Instance("a"); len(in.Launch.Files) != 1 || in.LaunchDigest != in.Launch.Digest() {
				t.Errorf("put back %+v", in)
			}
			raw, err := os.ReadFile(filepath.Join(h.store.Dir(), "snapshot.json"))
			if err != nil || strings.Contains(string(raw), `"old"`) {
				t.Errorf("plain text in the snapshot (%v)", err)
			}
		} else {
			wantStatuses(t, res, "a failed")
			if d := res.Outcomes[0].Detail; !strings.Contains(d, "secret KEY of the previous launch is not known") {
				t.Errorf("detail %q", d)
			}
		}
		h.recordedIsRunning()
	}
}

func TestPortSwap(t *testing.T) {
	h := newHost(t)
	h.desired = []engine.Model{model("a", "1", 1, "0"), model("b", "1", 2, "1")}
	h.apply()
	h.log = nil
	h.desired = []engine.Model{model("a", "1", 2, "0"), model("b", "1", 1, "1")}
	wantStatuses(t, h.apply(), "a applied, b applied")
	wantEffects(t, h, "stop a", "stop b", "start a 1", "start b 1")
	h.synced()

	h.bad["bad"] = true
	h.desired = []engine.Model{model("a", "1", 1, "0"), model("b", "bad", 2, "1")}
	wantStatuses(t, h.apply(), "a put_back, b put_back")
	h.recordedIsRunning()
	if s := h.snapshot(); s.Instance("a").Launch.Port != 2 || s.Instance("b").Launch.Port != 1 {
		t.Errorf("ports after put back: %+v", s.Instances)
	}
}

func TestForeignIsNeverReplaced(t *testing.T) {
	h := newHost(t)
	h.desired = []engine.Model{model("a", "1", 1, "0")}
	h.apply()
	h.log = nil
	h.foreign["a"] = true
	h.desired = []engine.Model{model("a", "2", 1, "0"), model("b", "1", 2, "0")}
	res := h.apply()
	wantStatuses(t, res, "a failed, b not_started")
	wantEffects(t, h)
	for _, o := range res.Outcomes {
		if o.Model == "a" && (!errors.Is(o.Err, engine.ErrForeign) || !strings.Contains(o.Err.Error(), "nothing was sent")) {
			t.Errorf("error %v", o.Err)
		}
	}
	h.checkSound(t)
	h.recordedIsRunning()
}

func TestSoftInterruptFinishesTheStep(t *testing.T) {
	h := newHost(t)
	h.desired = []engine.Model{model("a", "1", 1, "0"), model("b", "1", 2, "0")}
	soft := make(chan struct{})
	h.onStart = func(context.Context, string) error { close(soft); return nil }
	res := h.apply(func(o *Options) { o.Soft = soft })
	wantStatuses(t, res, "a applied, b not_started")
	if !res.Interrupted {
		t.Error("not marked as interrupted")
	}
	h.recordedIsRunning()
	h.onStart = nil
	wantStatuses(t, h.apply(), "b applied")
	h.synced()
}

func TestHardCancelRecordsTheTruth(t *testing.T) {
	h := newHost(t)
	h.desired = []engine.Model{model("a", "1", 1, "0"), model("b", "1", 2, "0")}
	h.apply()
	h.desired = []engine.Model{model("a", "2", 1, "0"), model("b", "2", 2, "0")}
	ctx, cancel := context.WithCancel(context.Background())
	h.onStart = func(ctx context.Context, _ string) error { cancel(); <-ctx.Done(); return ctx.Err() }
	res := h.carryOut(ctx, h.plan())
	wantStatuses(t, res, "a failed, b not_started")
	if !res.Interrupted {
		t.Error("not marked as interrupted")
	}
	h.recordedIsRunning()
	if got := h.running(); !maps.Equal(got, map[string]string{"b": "1"}) {
		t.Errorf("running %v", got)
	}
	h.onStart = nil
	wantStatuses(t, h.apply(), "a applied, b applied")
	h.synced()
}

func TestStalePlanIsRefused(t *testing.T) {
	h := newHost(t)
	h.desired = []engine.Model{model("a", "1", 1, "0")}
	p := h.plan()
	h.apply()
	l := h.lock()
	defer l.Close()
	var stale *StaleError
	if _, err := Run(context.Background(), p, Options{Store: l, Providers: h.providers()}); !errors.As(err, &stale) {
		t.Fatalf("a plan from before the first snapshot was taken: %v", err)
	}
	p = h.plan()
	p.Serial--
	_, err := Run(context.Background(), p, Options{Store: l, Providers: h.providers()})
	if !errors.As(err, &stale) || stale.Serial != 1 || !strings.Contains(err.Error(), "snapshot 0") {
		t.Fatalf("a plan from another serial was taken: %v", err)
	}
	wantEffects(t, h, "start a 1")
}

func TestEventsComeOneAtATime(t *testing.T) {
	h := newHost(t)
	for i := range 8 {
		n := string(rune('a' + i))
		h.desired = append(h.desired, model(n, "1", i+1, n))
	}
	inside, count := false, map[Kind]int{}
	h.apply(func(o *Options) {
		o.Parallel = 3
		o.Events = func(e Event) { // unguarded on purpose: -race and inside see an overlap
			if inside {
				t.Error("events overlap")
			}
			inside = true
			count[e.Kind]++
			inside = false
		}
	})
	if count[Started] != 8 || count[Progressing] != 8 || count[Done] != 8 {
		t.Errorf("events %v", count)
	}
}
