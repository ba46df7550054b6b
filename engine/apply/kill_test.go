package apply

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/store"
)

// killer ends a run at its nth point as kill -9 would: from then on the run does
// nothing more, not even clean up. Its goroutines stay blocked.
type killer struct {
	mu   sync.Mutex
	left int
	dead chan struct{}
}

func newKiller(n int) *killer { return &killer{left: n, dead: make(chan struct{})} }

func (k *killer) point() {
	k.mu.Lock()
	k.left--
	if k.left == 0 {
		close(k.dead)
	}
	over := k.left <= 0
	k.mu.Unlock()
	if over {
		select {}
	}
}

// mortal is a Recorder with a point to be killed at before and after each write.
type mortal struct {
	*store.Locked
	k *killer
}

func around[T any](k *killer, write func() (T, error)) (T, error) {
	k.point()
	v, err := write()
	k.point()
	return v, err
}

func only(write func() error) func() (struct{}, error) {
	return func() (struct{}, error) { return struct{}{}, write() }
}

func (m mortal) Begin(plan string) error {
	_, err := around(m.k, only(func() error { return m.Locked.Begin(plan) }))
	return err
}

func (m mortal) Intent(s store.Step) (int64, error) {
	return around(m.k, func() (int64, error) { return m.Locked.Intent(s) })
}

func (m mortal) Note(seq int64, in engine.Instance) error {
	_, err := around(m.k, only(func() error { return m.Locked.Note(seq, in) }))
	return err
}

func (m mortal) Result(seq int64, failed error) error {
	_, err := around(m.k, only(func() error { return m.Locked.Result(seq, failed) }))
	return err
}

func (m mortal) Gone(in engine.Instance) error {
	_, err := around(m.k, only(func() error { return m.Locked.Gone(in) }))
	return err
}

func (m mortal) Write(edit func(*engine.Snapshot)) (int64, error) {
	return around(m.k, func() (int64, error) { return m.Locked.Write(edit) })
}

func (m mortal) End() error {
	_, err := around(m.k, only(m.Locked.End))
	return err
}

// applyAndDie runs the plan until its nth point, or to its end, and says how many
// points it came past.
func (h *host) applyAndDie(n int) (killed bool, points int) {
	h.t.Helper()
	p := h.plan()
	l := h.lock()
	k := newKiller(n)
	h.point = k.point
	done := make(chan error, 1)
	go func() {
		_, err := Run(context.Background(), p, Options{Providers: h.providers(), Store: mortal{l, k}, Parallel: 1})
		done <- err
	}()
	select {
	case <-k.dead:
		killed = true
	case err := <-done:
		if err != nil {
			h.t.Fatal(err)
		}
	case <-time.After(20 * time.Second):
		h.t.Fatal("neither killed nor done")
	}
	h.point = nil
	if err := l.Close(); err != nil { // what the kernel does
		h.t.Fatal(err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return killed, n - k.left
}

// TestKilledAnywhere kills an apply at each of its points, and the apply after
// it at some, and demands that then one more converges: no process lost, none
// started twice.
func TestKilledAnywhere(t *testing.T) {
	scenario := func(t *testing.T) *host {
		h := newHost(t)
		h.desired = []engine.Model{model("a", "1", 1, "0"), model("b", "1", 2, "0"), model("d", "1", 4, "0"),
			model("e", "1", 5, "1"), model("f", "1", 6, "1")}
		h.apply()
		h.desired = []engine.Model{model("a", "2", 1, "0"), model("c", "1", 3, "0"), labelled(model("d", "1", 4, "0"), "MIT"),
			model("e", "1", 6, "1"), model("f", "1", 5, "1")}
		return h
	}
	points := killEach(t, scenario, func(t *testing.T, h *host) {
		h.apply()
		want := map[string]string{"a": "2", "c": "1", "d": "1", "e": "1", "f": "1"}
		if got := h.running(); !maps.Equal(got, want) {
			t.Errorf("running %v, want %v", got, want)
		}
		h.synced()
	})
	if points < 40 {
		t.Errorf("only %d points were tried", points)
	}
}

// TestKilledWhilePuttingBack demands that a model whose new launch never works
// runs as before after any kill and one more apply.
func TestKilledWhilePuttingBack(t *testing.T) {
	scenario := func(t *testing.T) *host {
		h := newHost(t)
		h.desired = []engine.Model{model("a", "good", 1, "0")}
		h.apply()
		h.bad["bad"] = true
		h.desired = []engine.Model{model("a", "bad", 1, "0")}
		return h
	}
	killEach(t, scenario, func(t *testing.T, h *host) {
		wantStatuses(t, h.apply(), "a put_back")
		if got := h.running(); !maps.Equal(got, map[string]string{"a": "good"}) {
			t.Errorf("running %v", got)
		}
		h.checkSound(t)
		h.recordedIsRunning()
	})
}

// killEach tries every point, alone and followed by a kill of the next apply.
func killEach(t *testing.T, scenario func(*testing.T) *host, check func(*testing.T, *host)) (points int) {
	const never = 1 << 20
	_, points = scenario(t).applyAndDie(never)
	for n := 1; n <= points; n++ {
		for _, second := range []int{0, 1 + 5*n%17} {
			t.Run(fmt.Sprintf("%d then %d", n, second), func(t *testing.T) {
				t.Parallel()
				h := scenario(t)
				if killed, _ := h.applyAndDie(n); !killed {
					t.Fatal("it came to its end")
				}
				if second > 0 {
					h.applyAndDie(second)
				}
				check(t, h)
			})
		}
	}
	return points
}
