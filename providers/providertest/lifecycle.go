package providertest

import (
	"slices"
	"testing"

	"github.com/loadoutdev/loadout/engine"
)

func startInspectStop(t *testing.T, b *bench) {
	l := b.launch(t)
	opt := b.options()
	in, err := b.Provider.Start(t.Context(), l, opt)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	if in.Model != opt.Model || in.ID != opt.ID || in.Token != opt.Token || in.LaunchDigest != l.Digest() ||
		in.StartedAt.IsZero() || in.ReadySeconds <= 0 {
		t.Errorf("instance is incomplete: %+v", in)
	}
	live := b.wantReady(t, in)
	if len(live.Mismatches) > 0 {
		t.Errorf("mismatches right after the start: %+v", live.Mismatches)
	}
	if !slices.Contains(live.Served, l.Served[0]) {
		t.Errorf("serves %q, want %q among them", live.Served, l.Served[0])
	}
	if err := b.stop(in); err != nil {
		t.Fatalf("stop: %v", err)
	}
	if live := b.inspect(t, in); live.State != engine.StateGone {
		t.Errorf("state %s (%s) after stop, want gone", live.State, live.Detail)
	}
	b.wantNothingLeft(t)
}

func startedBeforeReady(t *testing.T, b *bench) {
	l, opt := b.launch(t), b.options()
	var reported []engine.Instance
	opt.Started = func(in engine.Instance) error {
		reported = append(reported, in)
		return nil
	}
	in, err := b.Provider.Start(t.Context(), l, opt)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() { _ = b.stop(in) })
	if len(reported) == 0 {
		t.Fatal("Started was not called")
	}
	first := reported[0]
	if first.ReadySeconds != 0 || first.Token != opt.Token || first.LaunchDigest != l.Digest() {
		t.Errorf("reported %+v: want what recognizes it, before it is ready", first)
	}
	b.wantReady(t, throughJSON(t, first))
}

func foundByToken(t *testing.T, b *bench) {
	in := b.start(t, b.launch(t))
	known := engine.Instance{Model: in.Model, Backend: in.Backend, ID: in.ID, Token: in.Token, Launch: in.Launch,
		LaunchDigest: in.LaunchDigest, Log: in.Log, Dir: in.Dir, StartedAt: in.StartedAt}
	live := b.wantReady(t, throughJSON(t, known))
	if live.Pid != in.Pid || live.StartTime != in.StartTime || live.Digest != in.Digest {
		t.Errorf("found pid %d, start time %d, digest %q; want %d, %d, %q",
			live.Pid, live.StartTime, live.Digest, in.Pid, in.StartTime, in.Digest)
	}
	if err := b.stop(live.Instance); err != nil {
		t.Fatalf("stop what was found by token: %v", err)
	}
	b.wantNothingLeft(t)
}

func recognizedElsewhere(t *testing.T, b *bench) {
	in := throughJSON(t, b.start(t, b.launch(t)))
	if in.Launch.Digest() != in.LaunchDigest {
		t.Error("the launch has another digest after it went through JSON")
	}
	if live := b.wantReady(t, in); len(live.Mismatches) > 0 {
		t.Errorf("mismatches: %+v", live.Mismatches)
	}
	if err := b.stop(in); err != nil {
		t.Fatalf("stop: %v", err)
	}
	b.wantNothingLeft(t)
}

func startAgain(t *testing.T, b *bench) {
	in := b.start(t, b.launch(t))
	changed := b.launch(t, b.Told)
	if changed.Digest() == in.LaunchDigest {
		t.Fatal("the change is not seen")
	}
	if err := b.stop(in); err != nil {
		t.Fatalf("stop: %v", err)
	}
	again := b.start(t, changed)
	if live := b.wantReady(t, again); len(live.Mismatches) > 0 {
		t.Errorf("mismatches after the change: %+v", live.Mismatches)
	}
	if live := b.inspect(t, in); live.State == engine.StateReady {
		t.Error("the stopped launch is taken for the new one")
	}
	if err := b.stop(again); err != nil {
		t.Fatalf("stop: %v", err)
	}
	b.wantNothingLeft(t)
}

func killedBehindOurBack(t *testing.T, b *bench) {
	in := b.start(t, b.launch(t))
	b.Kill(t, in)
	live := b.inspect(t, in)
	if live.State == engine.StateReady && len(live.Mismatches) == 0 {
		t.Error("killed, yet ready without any mismatch")
	}
	if err := b.stop(in); err != nil {
		t.Fatalf("stop what is gone: %v", err)
	}
	b.wantNothingLeft(t)
}

func stopTwice(t *testing.T, b *bench) {
	in := b.start(t, b.launch(t))
	for i := range 2 {
		if err := b.stop(in); err != nil {
			t.Fatalf("stop %d: %v", i+1, err)
		}
	}
	b.wantNothingLeft(t)
}

func inspectNothing(t *testing.T, b *bench) {
	opt, l := b.options(), b.launch(t)
	live := b.inspect(t, engine.Instance{Model: opt.Model, Backend: l.Backend, ID: opt.ID, Token: opt.Token, Launch: l, LaunchDigest: l.Digest()})
	if live.State != engine.StateGone {
		t.Errorf("state %s (%s) of a launch that never was, want gone", live.State, live.Detail)
	}
}
