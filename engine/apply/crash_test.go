package apply

import (
	"context"
	"strings"
	"testing"

	"github.com/loadoutdev/loadout/engine"
)

// A bug in one lane reaches the caller, who can end in order, and only after the
// other lanes have recorded what they did. The next run finds the rest.
func TestCrashInALaneReachesTheCaller(t *testing.T) {
	h := newHost(t)
	h.desired = []engine.Model{model("a", "1", 1, "0"), model("b", "1", 2, "1")}
	h.onStart = func(_ context.Context, name string) error {
		if name == "a" {
			panic("a bug")
		}
		return nil
	}
	l := h.lock()
	crash := func() (caught any) {
		defer func() { caught = recover() }()
		_, _ = Run(context.Background(), h.plan(), Options{Store: l, Providers: h.providers()})
		return nil
	}()
	if text, _ := crash.(string); !strings.HasPrefix(text, "a bug\n") || !strings.Contains(text, "goroutine") {
		t.Fatalf("caught %v", crash)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	snap, open, err := h.store.Read()
	if err != nil || snap.Instance("b") == nil || len(open) != 1 || open[0].Model != "a" {
		t.Errorf("recorded %+v, unfinished %+v, %v", snap, open, err)
	}
	h.onStart = nil
	h.apply()
	h.synced()
}
