package providertest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

func occupiedPlace(t *testing.T, b *bench) {
	l := b.launch(t)
	first := b.start(t, l)
	opt := b.options()
	opt.Model = "another-model"
	second, err := b.Provider.Start(t.Context(), l, opt)
	if err == nil {
		_ = b.stop(second)
		t.Fatal("two instances in one place")
	}
	_ = wantStartError(t, err)
	if live := b.wantReady(t, first); len(live.Mismatches) > 0 {
		t.Errorf("the first one was harmed: %+v", live.Mismatches)
	}
	if err := b.stop(first); err != nil {
		t.Fatalf("stop: %v", err)
	}
	b.wantNothingLeft(t)
}

func failedStart(t *testing.T, b *bench) {
	l := b.launch(t, b.Fail)
	in, err := b.Provider.Start(t.Context(), l, b.options())
	if err == nil {
		_ = b.stop(in)
		t.Fatal("started, although it should fail")
	}
	if e := wantStartError(t, err); strings.Contains(e.Cause, "\n") {
		t.Errorf("cause has more than one line: %q", e.Cause)
	}
	b.wantNothingLeft(t)
}

func canceledStart(t *testing.T, b *bench) {
	b.needSlow(t)
	l, opt := b.launch(t, b.Slow), b.options()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	opt.Started = func(engine.Instance) error {
		time.AfterFunc(300*time.Millisecond, cancel)
		return nil
	}
	began := time.Now()
	in, err := b.Provider.Start(ctx, l, opt)
	if err == nil {
		_ = b.stop(in)
		t.Fatal("started, although it was canceled")
	}
	_ = wantStartError(t, err)
	if took := time.Since(began); took > opt.Stop+10*time.Second {
		t.Errorf("returned %v after the cancel", took)
	}
	b.wantNothingLeft(t)
}

func timedOutStart(t *testing.T, b *bench) {
	b.needSlow(t)
	l, opt := b.launch(t, b.Slow), b.options()
	opt.Timeout = time.Second
	in, err := b.Provider.Start(t.Context(), l, opt)
	if err == nil {
		_ = b.stop(in)
		t.Fatal("started, although there was no time")
	}
	if e := wantStartError(t, err); e.Class != "timeout" {
		t.Errorf("class %q, want timeout: %+v", e.Class, e)
	}
	b.wantNothingLeft(t)
}

func refusedRecord(t *testing.T, b *bench) {
	l, opt := b.launch(t), b.options()
	opt.Started = func(engine.Instance) error { return errors.New("disk is full") }
	in, err := b.Provider.Start(t.Context(), l, opt)
	if err == nil {
		_ = b.stop(in)
		t.Fatal("started, although it could not be recorded")
	}
	if !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("error %q does not say why", err)
	}
	b.wantNothingLeft(t)
}

func stopSparesStrangers(t *testing.T, b *bench) {
	in := b.start(t, b.launch(t))
	if err := b.stop(in); err != nil {
		t.Fatalf("stop: %v", err)
	}
	stale, unharmed := b.Stranger(t, in)
	if err := b.stop(stale); err != nil && !errors.Is(err, engine.ErrForeign) {
		t.Errorf("stop of a stranger: %v, want success (ours is gone) or ErrForeign", err)
	}
	if !unharmed() {
		t.Error("stop touched what is not ours")
	}
}

func (b *bench) needSlow(t *testing.T) {
	t.Helper()
	if b.Slow == nil {
		t.Skip("this fixture cannot make a start slow")
	}
}
