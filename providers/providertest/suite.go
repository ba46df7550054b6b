// Package providertest is the one suite that every provider passes, whether it
// runs processes or models inside a service. It checks the contract that
// engine.Provider states and knows nothing about any backend: what is particular
// comes with a [Fixture].
package providertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

// Suite says how to set up a provider. New is called for each case and gives
// something that no other case has touched.
type Suite struct {
	New func(t *testing.T) Fixture
}

// Edit changes a model, or the world that it will meet, before it is rendered.
type Edit func(*engine.Model)

// Fixture is a provider in a world of its own.
type Fixture struct {
	Provider engine.Provider
	Env      engine.RenderEnv
	StateDir string // default: a temporary directory

	// Model makes a model that starts within a few seconds. Each call gives a
	// new one.
	Model func() *engine.Model
	Told  Edit // changes something that the backend is told
	// Untold changes something that the backend is not told, such as the roles.
	Untold Edit
	// Fail makes the start fail before it is ready.
	Fail Edit
	// Slow makes the start take at least ten seconds; nil where that cannot be
	// done, and the cases that need it are skipped.
	Slow Edit
	// Kill ends the instance behind the provider's back.
	Kill func(t *testing.T, in engine.Instance)
	// Stranger puts something of somebody else in the place of an instance that
	// was stopped, returns the instance that a stale record would name, and tells
	// afterwards whether the stranger is unharmed.
	Stranger func(t *testing.T, in engine.Instance) (stale engine.Instance, unharmed func() bool)
	// Left lists what launches left behind: processes, ports, tags, directories.
	Left func(t *testing.T) []string

	Timeout time.Duration // for one start; default 30 s
}

// cases in the order of a model's life.
func cases() []testCase {
	return []testCase{
		{"render is deterministic", renderIsDeterministic},
		{"render refuses unknown arguments", renderRefusesUnknown},
		{"digest follows what is told", digestFollowsTold},
		{"effect of every attribute", effectIsKnown},
		{"start, inspect, stop", startInspectStop},
		{"started is reported before ready", startedBeforeReady},
		{"found by token alone", foundByToken},
		{"recognized from another shell", recognizedElsewhere},
		{"occupied place", occupiedPlace},
		{"killed behind our back", killedBehindOurBack},
		{"failed start leaves nothing", failedStart},
		{"canceled start leaves nothing", canceledStart},
		{"refused record aborts the start", refusedRecord},
		{"timeout leaves nothing", timedOutStart},
		{"stop twice", stopTwice},
		{"stop spares strangers", stopSparesStrangers},
		{"inspect of nothing is gone", inspectNothing},
		{"start again after stop and changes", startAgain},
	}
}

type testCase struct {
	name  string
	check func(*testing.T, *bench)
}

// Run runs every case.
func Run(t *testing.T, s Suite) {
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) { c.check(t, newBench(t, s)) })
	}
}

// bench is a fixture in use.
type bench struct {
	Fixture
	launches int
}

func newBench(t *testing.T, s Suite) *bench {
	b := &bench{Fixture: s.New(t)}
	if b.StateDir == "" {
		b.StateDir = t.TempDir()
	}
	if b.Timeout == 0 {
		b.Timeout = 30 * time.Second
	}
	return b
}

// launch renders a model that is expected to be fine.
func (b *bench) launch(t *testing.T, edits ...Edit) engine.Launch {
	t.Helper()
	m := b.Model()
	for _, edit := range edits {
		edit(m)
	}
	l, problems := b.Provider.Render(m, b.Env)
	if engine.HasErrors(problems) {
		t.Fatalf("render: %+v", problems)
	}
	return l
}

// options of the next launch.
func (b *bench) options() engine.StartOptions {
	b.launches++
	id := fmt.Sprint(b.launches)
	return engine.StartOptions{
		Model: b.Model().Name, ID: id, Token: "token" + id + engine.Digest(b.StateDir)[:16],
		StateDir: b.StateDir, LogPath: filepath.Join("logs", id+".log"), Dir: filepath.Join("launches", id),
		Timeout: b.Timeout, Stop: 10 * time.Second, Probe: engine.ProbeGenerate,
		Started: func(engine.Instance) error { return nil }, Progress: func(engine.Progress) {},
	}
}

// start starts a launch that is expected to become ready, and stops it at the
// end of the test.
func (b *bench) start(t *testing.T, l engine.Launch) engine.Instance {
	t.Helper()
	in, err := b.Provider.Start(t.Context(), l, b.options())
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() { _ = b.stop(in) })
	return in
}

// stop works after the end of the test too.
func (b *bench) stop(in engine.Instance) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return b.Provider.Stop(ctx, in, engine.StopOptions{StateDir: b.StateDir, Timeout: 5 * time.Second, Progress: func(engine.Progress) {}})
}

func (b *bench) inspect(t *testing.T, in engine.Instance) engine.Live {
	t.Helper()
	live, err := b.Provider.Inspect(t.Context(), in, engine.InspectOptions{StateDir: b.StateDir, Generate: true, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatalf("inspect: %v", err)
	}
	return live
}

func (b *bench) wantReady(t *testing.T, in engine.Instance) engine.Live {
	t.Helper()
	live := b.inspect(t, in)
	if live.State != engine.StateReady {
		t.Fatalf("state %s (%s), want ready", live.State, live.Detail)
	}
	return live
}

func (b *bench) wantNothingLeft(t *testing.T) {
	t.Helper()
	if left := b.Left(t); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// wantStartError checks that a start failed the way the contract says.
func wantStartError(t *testing.T, err error) *engine.StartError {
	t.Helper()
	var e *engine.StartError
	if !errors.As(err, &e) {
		t.Fatalf("error %v (%T), want a *StartError", err, err)
	}
	if e.Cause == "" || e.Class == "" {
		t.Errorf("start error without cause or class: %+v", e)
	}
	return e
}

// throughJSON is the instance as the next run reads it.
func throughJSON(t *testing.T, in engine.Instance) engine.Instance {
	t.Helper()
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out engine.Instance
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
