package apply

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/store"
)

func TestAStartIsKnownBeforeItIsReady(t *testing.T) {
	h := newHost(t)
	h.desired = []engine.Model{model("a", "1", 1, "0")}
	h.onStart = func(context.Context, string) error {
		_, open, err := h.store.Read()
		if err != nil || len(open) != 1 || open[0].Instance.Pid == 0 || open[0].Instance.Log == "" {
			t.Errorf("while starting: %+v %v", open, err)
		}
		return nil
	}
	h.apply()
	h.synced()
}

// TestUnknownStartBlocksItsModel: a plan that does not know of a start left by an
// interrupted run must not start the model a second time.
func TestUnknownStartBlocksItsModel(t *testing.T) {
	h := newHost(t)
	h.desired = []engine.Model{model("a", "1", 1, "0"), model("b", "1", 2, "1")}
	blind := h.plan()
	blind.Changes[0].Running = nil
	leaveBehind(h, "a", "1", 9)
	res := h.carryOut(context.Background(), blind)
	wantStatuses(t, res, "a failed, b applied")
	if err := res.Outcomes[0].Err; err == nil || !strings.Contains(err.Error(), "plan again") {
		t.Errorf("error %v", err)
	}
	wantStatuses(t, h.apply(), "a applied")
	h.synced()
}

// leaveBehind starts a process as a run that is killed then.
func leaveBehind(h *host, name, x string, port int) {
	h.t.Helper()
	l := h.lock()
	defer l.Close()
	if err := l.Begin("killed"); err != nil {
		h.t.Fatal(err)
	}
	m := model(name, x, port, "0")
	launch := render(&m)
	id, err := l.NextLaunch(name)
	if err != nil {
		h.t.Fatal(err)
	}
	in := engine.Instance{Model: name, Backend: "fake", ID: id, Token: newToken(), Launch: launch, LaunchDigest: launch.Digest()}
	if _, err := l.Intent(store.Step{Op: engine.OpStart, Model: name, Instance: in}); err != nil {
		h.t.Fatal(err)
	}
	h.nextPid++
	in.Pid = h.nextPid
	h.procs[in.Token] = &proc{Instance: in, state: engine.StateReady}
}

func TestLeftoversGoFirst(t *testing.T) {
	h := newHost(t)
	h.desired = []engine.Model{model("a", "1", 1, "0")}
	h.apply()
	leaveBehind(h, "a", "other", 9)
	h.log = nil
	snap, open, err := h.store.Read()
	if err != nil || len(open) != 1 {
		t.Fatalf("open %+v %v", open, err)
	}
	p := h.plan()
	p.Changes = []engine.Change{{Model: "a", Action: engine.ActionUpdate, Served: true, Desired: &h.desired[0],
		Running: snap.Instance("a"), Leftovers: []engine.Instance{open[0].Instance}, Previous: snap.Entry("a")}}
	wantStatuses(t, h.carryOut(context.Background(), p), "a applied")
	wantEffects(t, h, "stop a")
	if got := h.running(); !maps.Equal(got, map[string]string{"a": "1"}) {
		t.Errorf("running %v", got)
	}
	h.synced()
}

func TestPutBackThatFailsSaysSo(t *testing.T) {
	h := newHost(t)
	h.desired = []engine.Model{model("a", "good", 1, "0")}
	h.apply()
	h.bad["bad"], h.bad["good"] = true, true
	h.desired = []engine.Model{model("a", "bad", 1, "0")}
	res := h.apply()
	wantStatuses(t, res, "a failed")
	o := res.Outcomes[0]
	if !strings.Contains(o.Err.Error(), "no room for bad") || !strings.Contains(o.Err.Error(), "no room for good") ||
		!strings.Contains(o.Detail, "left stopped") {
		t.Errorf("outcome %+v", o)
	}
	h.recordedIsRunning()
	h.bad = map[string]bool{}
	h.apply()
	h.synced()
}

func TestTheSameLaunchIsNotTriedTwice(t *testing.T) {
	h := newHost(t)
	h.desired = []engine.Model{model("a", "1", 1, "0")}
	h.apply()
	h.procs = map[string]*proc{} // it dies
	h.bad["1"] = true
	h.log = nil
	wantStatuses(t, h.apply(), "a failed")
	wantEffects(t, h, "start a 1")
}

// unwritable is a state directory whose snapshot cannot be written any more.
type unwritable struct{ *store.Locked }

var errDisk = errors.New("no space left on device")

func (unwritable) Write(func(*engine.Snapshot)) (int64, error) { return 0, errDisk }

func TestFullDiskLosesNothing(t *testing.T) {
	h := newHost(t)
	h.desired = []engine.Model{model("a", "1", 1, "0")}
	h.apply()
	h.desired = []engine.Model{model("a", "2", 1, "0"), model("b", "1", 2, "0")}
	p := h.plan()
	l := h.lock()
	res, err := Run(context.Background(), p, Options{Providers: h.providers(), Store: unwritable{l}})
	if !errors.Is(err, errDisk) {
		t.Errorf("error %v", err)
	}
	wantStatuses(t, res, "a failed, b not_started")
	if got := h.running(); !maps.Equal(got, map[string]string{"a": "2"}) {
		t.Errorf("running %v", got)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	wantStatuses(t, h.apply(), "a applied, b applied")
	h.synced()
}

func TestCancelLeavesAnAdopteeAlone(t *testing.T) {
	h := newHost(t)
	h.desired = []engine.Model{model("a", "1", 1, "0")}
	leaveBehind(h, "a", "1", 1)
	p := h.plan()
	for _, left := range h.procs {
		left.state = engine.StateHung // after the plan was made
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	res := h.carryOut(ctx, p, func(o *Options) {
		o.Events = func(e Event) {
			if e.Kind == Progressing {
				cancel()
			}
		}
	})
	wantStatuses(t, res, "a failed")
	if !res.Interrupted || len(h.running()) != 1 {
		t.Errorf("interrupted %v, running %v", res.Interrupted, h.running())
	}
	if _, open, err := h.store.Read(); err != nil || len(open) != 1 {
		t.Errorf("open %v %v", open, err)
	}
}
