package apply

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/store"
)

// Preflight refuses the launches that are listed, and ports that somebody holds
// who is not about to be stopped.
func (w *world) Preflight(_ context.Context, l engine.Launch, ending []engine.Instance, opt engine.StartOptions) error {
	if opt.Token != "" || opt.Dir != "" {
		w.broken = append(w.broken, "a look that has the identity of a launch")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.procs {
		ends := slices.ContainsFunc(ending, func(in engine.Instance) bool { return in.Token == p.Token })
		if p.Launch.Port == l.Port && !ends {
			return &engine.StartError{Class: "port", Cause: "the port is taken by " + p.Model}
		}
	}
	if w.unfit[l.Model] {
		return &engine.StartError{Class: "missing_file", Cause: "there is no " + l.Model}
	}
	return nil
}

// Sweep remembers what was to be kept.
func (w *world) Sweep(root string, keep []string) error {
	w.swept, w.kept = root, keep
	return nil
}

func TestPreflightStopsNothing(t *testing.T) {
	h := newHost(t)
	h.desired = []engine.Model{model("a", "1", 1, "0"), model("b", "1", 2, "0")}
	h.apply()
	h.log, h.unfit = nil, map[string]bool{"missing": true}
	h.desired = []engine.Model{model("a", "missing", 1, "0"), model("b", "2", 2, "0"), model("c", "missing", 3, "0")}
	before := *h.snapshot().Instance("a")
	res := h.apply()
	wantStatuses(t, res, "a failed, b applied, c failed")
	wantEffects(t, h, "stop b", "start b 2")
	for _, o := range res.Outcomes {
		told := map[string]string{"a": "nothing was stopped: it still serves as before"}[o.Model]
		if o.Status == Failed && (o.Detail != told || o.Start == nil || o.Start.Cause != "there is no missing") {
			t.Errorf("%s: %q %+v", o.Model, o.Detail, o.Start)
		}
	}
	if now := h.snapshot().Instance("a"); now.Token != before.Token || now.ID != before.ID {
		t.Errorf("the record of a changed: %+v", now)
	}
	h.recordedIsRunning()
	h.checkSound(t)
}

func TestPreflightOfARing(t *testing.T) {
	h := newHost(t)
	h.desired = []engine.Model{model("a", "1", 1, "0"), model("b", "1", 2, "1")}
	h.apply()
	h.log, h.unfit = nil, map[string]bool{"missing": true}
	h.desired = []engine.Model{model("a", "1", 2, "0"), model("b", "missing", 1, "1")}
	wantStatuses(t, h.apply(), "a not_started, b failed")
	wantEffects(t, h)
	h.unfit = nil // the ports that the two give each other count as free
	wantStatuses(t, h.apply(), "a applied, b applied")
	h.synced()
}

func TestPutBackHasItsEnvironment(t *testing.T) {
	h := newHost(t)
	h.desired = []engine.Model{model("a", "1", 1, "0")}
	h.apply()
	h.env = map[string]string{"PATH": "/its/own", "HOME": "/h"}
	h.bad["2"] = true
	h.desired = []engine.Model{model("a", "2", 1, "0")}
	wantStatuses(t, h.apply(), "a put_back")
	want := [][]string{nil, nil, {"HOME=/h", "PATH=/its/own"}}
	if !slices.EqualFunc(h.environs, want, slices.Equal[[]string]) {
		t.Errorf("environments %q, want %q", h.environs, want)
	}
}

func TestSweepKeepsWhatIsRecorded(t *testing.T) {
	h := newHost(t)
	h.desired = []engine.Model{model("a", "1", 1, "0"), model("b", "1", 2, "1")}
	h.apply()
	in := h.snapshot().Instance("b")
	h.end(h.snapshot().Instance("a").Token) // died by itself
	h.desired = h.desired[1:]
	wantStatuses(t, h.apply(), "a applied")
	if want := []string{filepath.Base(in.Dir)}; !slices.Equal(h.kept, want) || !strings.HasPrefix(in.Dir, filepath.Base(h.swept)) {
		t.Errorf("swept %s but %q, want %q", h.swept, h.kept, want)
	}
}

// The directory of a start that may still be running is kept.
func TestSweepKeepsOpenStarts(t *testing.T) {
	h := newHost(t)
	h.desired = []engine.Model{model("a", "1", 1, "0"), model("b", "1", 2, "1")}
	h.apply()
	l := h.lock()
	if err := l.Begin("killed"); err != nil {
		t.Fatal(err)
	}
	open := engine.Instance{Model: "x", Backend: "unknown", Token: "ffffffffffffffff", Dir: store.LaunchDir("ffffffffffffffff")}
	if _, err := l.Intent(store.Step{Op: engine.OpStart, Model: "x", Instance: open}); err != nil {
		t.Fatal(err)
	}
	l.Close()
	h.apply() // it cannot be looked at
	if !slices.Contains(h.kept, "ffffffffffff") || len(h.kept) != 3 {
		t.Errorf("kept %q", h.kept)
	}
}
