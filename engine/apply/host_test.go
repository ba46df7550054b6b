package apply

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/store"
)

// host is a world with a state directory, planned for by the real planner.
type host struct {
	*world
	t        *testing.T
	store    *store.Store
	desired  []engine.Model
	removals []engine.Removal
	adopts   []engine.Adoption
	moves    []engine.Move
}

func newHost(t *testing.T) *host {
	t.Helper()
	return &host{world: newWorld(), t: t, store: store.Open(t.TempDir(), "gpu")}
}

// model is a served model: x decides what is launched.
func model(name, x string, port int, gpus ...string) engine.Model {
	m := engine.Model{Name: name, Served: true}
	m.Backend, m.Port, m.GPUs, m.Args = "fake", port, gpus, map[string]any{"x": x}
	var list []any
	for _, g := range gpus {
		list = append(list, g)
	}
	m.Leaves = []engine.Leaf{{Path: "args.x", Value: x}, {Path: "backend", Value: "fake"},
		{Path: "gpus", Value: list}, {Path: "port", Value: int64(port)}}
	return m
}

// labelled adds a field that is hot.
func labelled(m engine.Model, license string) engine.Model {
	m.Leaves = append(m.Leaves, engine.Leaf{Path: "license", Value: license})
	slices.SortFunc(m.Leaves, func(a, b engine.Leaf) int { return strings.Compare(a.Path, b.Path) })
	return m
}

func registeredOnly(name string) engine.Model {
	return engine.Model{Name: name, Leaves: []engine.Leaf{{Path: "backend", Value: "fake"}}, Spec: engine.Spec{Backend: "fake"}}
}

func (h *host) providers() map[string]engine.Provider {
	return map[string]engine.Provider{"fake": h.world}
}

func (h *host) plan() *engine.Plan {
	h.t.Helper()
	snap, open, err := h.store.Read()
	if err != nil {
		h.t.Fatal(err)
	}
	in := engine.PlanInput{Workspace: engine.Workspace{Name: "gpu"}, Desired: h.desired, Launches: map[string]*engine.Launch{},
		Snapshot: snap, Unfinished: open, Removals: h.removals, Adoptions: h.adopts, Moves: h.moves, Providers: h.providers()}
	for i := range h.desired {
		if l := render(&h.desired[i]); h.desired[i].Served {
			in.Launches[h.desired[i].Name] = &l
		}
	}
	in.Live = engine.Observe(context.Background(), snap, open, h.providers(), engine.InspectOptions{})
	return engine.MakePlan(in)
}

func (h *host) lock() *store.Locked {
	h.t.Helper()
	l, err := h.store.Lock(context.Background(), store.Self("test", testTime), 0)
	if err != nil {
		h.t.Fatal(err)
	}
	return l
}

// apply plans and carries the plan out.
func (h *host) apply(edit ...func(*Options)) *Result {
	h.t.Helper()
	return h.carryOut(context.Background(), h.plan(), edit...)
}

func (h *host) carryOut(ctx context.Context, p *engine.Plan, edit ...func(*Options)) *Result {
	h.t.Helper()
	l := h.lock()
	defer l.Close()
	o := Options{Providers: h.providers(), Store: l}
	for _, e := range edit {
		e(&o)
	}
	res, err := Run(ctx, p, o)
	if err != nil {
		h.t.Fatal(err)
	}
	return res
}

func (h *host) snapshot() *engine.Snapshot {
	h.t.Helper()
	snap, open, err := h.store.Read()
	if err != nil {
		h.t.Fatal(err)
	}
	if len(open) > 0 {
		h.t.Errorf("unfinished: %+v", open)
	}
	return snap
}

// synced demands that what runs is recorded and that there is nothing to do.
func (h *host) synced() {
	h.t.Helper()
	h.checkSound(h.t)
	h.recordedIsRunning()
	if p := h.plan(); !p.Empty() {
		h.t.Errorf("plan after apply is not empty: %s", describe(p))
	}
}

// recordedIsRunning demands that instances and processes are the same.
func (h *host) recordedIsRunning() {
	h.t.Helper()
	snap := h.snapshot()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, in := range snap.Instances {
		if p := h.procs[in.Token]; p == nil || p.Pid != in.Pid {
			h.t.Errorf("recorded instance of %s (launch %s) does not run", in.Model, in.ID)
		}
	}
	for _, p := range h.procs {
		if in := snap.Instance(p.Model); in == nil || in.Token != p.Token {
			h.t.Errorf("process %d of %s is not recorded", p.Pid, p.Model)
		}
	}
}

func describe(p *engine.Plan) string {
	var b strings.Builder
	for _, c := range p.Changes {
		fmt.Fprintf(&b, "%s %s %v; ", c.Action, c.Model, c.Reasons)
	}
	return b.String()
}

func statuses(r *Result) string {
	var out []string
	for _, o := range r.Outcomes {
		out = append(out, o.Model+" "+string(o.Status))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func wantStatuses(t *testing.T, r *Result, want string) {
	t.Helper()
	if got := statuses(r); got != want {
		t.Errorf("statuses %q, want %q", got, want)
		for _, o := range r.Outcomes {
			t.Logf("%s: %s err=%v", o.Model, o.Detail, o.Err)
		}
	}
}

func wantEffects(t *testing.T, h *host, want ...string) {
	t.Helper()
	if got := h.effects(); !slices.Equal(got, want) {
		t.Errorf("effects %q, want %q", got, want)
	}
}
