package vllm

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/providers/process"
)

// bench starts fake servers and stops them at the end of the test.
type bench struct {
	*Provider
	dir   string // state directory
	files string // model directory
	count int
	port  int
}

func newBench(t *testing.T) *bench {
	t.Helper()
	return &bench{Provider: New(), dir: t.TempDir(), files: t.TempDir(), port: freePort(t)}
}

func (b *bench) model(mode string) *engine.Model {
	return &engine.Model{Name: "tiny", Served: true, Spec: engine.Spec{
		Source: "file://" + b.files, ServedName: "tiny", Aliases: []string{"chat"}, Backend: "vllm",
		Host: "127.0.0.1", Port: b.port, Command: fakeCommand(mode), Args: map[string]any{"max_model_len": int64(512)},
	}}
}

func (b *bench) launch(t *testing.T, mode string) engine.Launch {
	t.Helper()
	l, problems := b.Render(b.model(mode), engine.RenderEnv{})
	if engine.HasErrors(problems) {
		t.Fatal(problems)
	}
	return l
}

func (b *bench) options() engine.StartOptions {
	b.count++
	id := strconv.Itoa(b.count)
	return engine.StartOptions{
		Model: "tiny", ID: id, Token: "t" + id + filepath.Base(filepath.Dir(b.dir)) + strconv.Itoa(os.Getpid()), StateDir: b.dir,
		LogPath: "logs/" + id + ".log", Dir: "launches/" + id, Timeout: 30 * time.Second, Stop: 5 * time.Second, Probe: engine.ProbeGenerate,
	}
}

func (b *bench) start(t *testing.T, l engine.Launch, opt engine.StartOptions) (engine.Instance, error) {
	t.Helper()
	var known engine.Instance
	record := opt.Started
	opt.Started = func(in engine.Instance) error {
		known = in
		if record != nil {
			return record(in)
		}
		return nil
	}
	in, err := b.Start(context.Background(), l, opt)
	t.Cleanup(func() {
		if err := b.Stop(context.Background(), known, engine.StopOptions{StateDir: b.dir, Timeout: 100 * time.Millisecond}); err != nil && !errors.Is(err, engine.ErrForeign) {
			t.Error(err)
		}
	})
	if err != nil {
		b.wantNothing(t, known)
	}
	return in, err
}

func (b *bench) started(t *testing.T, mode string) engine.Instance {
	t.Helper()
	in, err := b.start(t, b.launch(t, mode), b.options())
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// wantNothing: no process, no port, no launch directory.
func (b *bench) wantNothing(t *testing.T, in engine.Instance) {
	t.Helper()
	if in.Pid != 0 {
		if s, err := process.Of(in).Look(); err != nil || s.Standing != process.Gone {
			t.Errorf("still there: %+v %v", s, err)
		}
	}
	if in.Dir != "" {
		if _, err := os.Stat(filepath.Join(b.dir, in.Dir)); err == nil {
			t.Error("the launch directory is still there")
		}
	}
}

func startError(t *testing.T, err error, class string) *engine.StartError {
	t.Helper()
	var e *engine.StartError
	if !errors.As(err, &e) || e.Class != class {
		t.Fatalf("error %v (%+v), want class %s", err, e, class)
	}
	return e
}

func TestStartReady(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	opt := b.options()
	var phases []string
	opt.Progress = func(p engine.Progress) { phases = append(phases, p.Phase) }
	in, err := b.start(t, b.launch(t, "good"), opt)
	if err != nil {
		t.Fatal(err)
	}
	if in.Pid == 0 || in.StartTime == 0 || in.BootID == "" || in.ReadySeconds <= 0 || in.Artifact == "" || in.Token != opt.Token {
		t.Errorf("%+v", in)
	}
	if !slices.Contains(phases, "generating a token") {
		t.Errorf("phases %q", phases)
	}
	env, err := b.Reveal(context.Background(), in)
	if err != nil || env[process.TokenVar] != opt.Token || !strings.HasPrefix(env["TMPDIR"], "/") {
		t.Errorf("%v %v", env, err)
	}
	seen, err := process.Of(in).Look()
	if err != nil || len(seen.Members) != 2 {
		t.Errorf("%+v %v", seen, err)
	}
	if err := b.Stop(context.Background(), in, engine.StopOptions{StateDir: b.dir, Timeout: 5 * time.Second}); err != nil {
		t.Fatal(err)
	}
	b.wantNothing(t, in)
	if _, err := os.Stat(filepath.Join(b.dir, in.Log)); err != nil {
		t.Error("the log is gone")
	}
}

func TestStartPooling(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.started(t, "pooling")
}

func TestStartWithKey(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.model("good")
	m.Env = map[string]any{"VLLM_API_KEY": engine.NewSecret("w", "sesame")}
	l, _ := b.Render(m, engine.RenderEnv{})
	in, err := b.start(t, l, b.options())
	if err != nil {
		t.Fatal(err)
	}
	in.Launch.Env = map[string]any{} // as a run that knows only the hash
	if live, err := b.Inspect(context.Background(), in, engine.InspectOptions{StateDir: b.dir}); err != nil || live.State != engine.StateReady {
		t.Errorf("%s %s %v", live.State, live.Detail, err)
	}
}

func TestStartFails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		class, cause string
		edit         func(*engine.StartOptions)
	}{
		"oom":       {classKVCache, "No available memory", nil},
		"dies":      {classEngine, "Unsupported CPU attention configuration", nil},
		"othername": {classWrong, "tiny-other", nil},
		"slow":      {classTimeout, "loading weights 1/2", func(o *engine.StartOptions) { o.Timeout = 1500 * time.Millisecond }},
		"hang":      {classTimeout, "generating a token", func(o *engine.StartOptions) { o.Timeout = 3 * time.Second }},
		"swallow":   {classTimeout, "not ready", func(o *engine.StartOptions) { o.Timeout = 1500 * time.Millisecond }},
	}
	for mode, tt := range tests {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			opt := b.options()
			if tt.edit != nil {
				tt.edit(&opt)
			}
			_, err := b.start(t, b.launch(t, mode), opt)
			e := startError(t, err, tt.class)
			if !strings.Contains(e.Cause, tt.cause) || e.Log != opt.LogPath {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestStartRefusesPort(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.started(t, "good")
	_, err := b.start(t, b.launch(t, "good"), b.options())
	e := startError(t, err, classPort)
	for _, want := range []string{strconv.Itoa(first.Pid), "serves tiny, chat"} {
		if !strings.Contains(e.Cause, want) {
			t.Errorf("%q does not say %q", e.Cause, want)
		}
	}
}

func TestStartRefusesStartingServer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	l := b.launch(t, "slow")
	child, err := process.Start(process.Spec{Argv: l.Argv, Dir: b.dir, Log: filepath.Join(b.dir, "log"), Env: []string{"PATH=/bin"}})
	if err != nil {
		t.Fatal(err)
	}
	defer process.Stop(context.Background(), child.Identity, process.StopOptions{})
	_, err = b.start(t, l, b.options())
	if e := startError(t, err, classPort); !strings.Contains(e.Cause, "pid "+strconv.Itoa(child.Pid)) || !strings.Contains(e.Cause, "is starting") {
		t.Errorf("%+v", e)
	}
}

// A server that was starting at the same time listens first: the second one
// would answer nothing, and the first one must not be taken for it.
func TestStartDeafTwin(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	opt := b.options()
	opt.Started = func(engine.Instance) error {
		ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(b.port)))
		if err != nil {
			return err
		}
		t.Cleanup(func() { ln.Close() })
		s := fakeServer{names: []string{"tiny", "chat"}, length: 512}
		go http.Serve(ln, s.routes())
		return nil
	}
	_, err := b.start(t, b.launch(t, "twin"), opt)
	if e := startError(t, err, classPort); !strings.Contains(e.Cause, "while this server was loading") {
		t.Errorf("%+v", e)
	}
}

func TestStartNotRecorded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	opt := b.options()
	opt.Started = func(engine.Instance) error { return errors.New("disk is full") }
	if _, err := b.start(t, b.launch(t, "good"), opt); err == nil || !strings.Contains(err.Error(), "disk is full") {
		t.Error(err)
	}
}

func TestStartNoProgram(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	l := b.launch(t, "good")
	l.Argv[0] = "/no/such/vllm"
	_, err := b.start(t, l, b.options())
	startError(t, err, classCommand)
	if left, _ := os.ReadDir(filepath.Join(b.dir, "launches")); len(left) != 0 {
		t.Error("the launch directory is still there")
	}
}

func TestStartInterrupted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	opt := b.options()
	var known engine.Instance
	opt.Started = func(in engine.Instance) error { known = in; time.AfterFunc(200*time.Millisecond, cancel); return nil }
	_, err := b.Start(ctx, b.launch(t, "slow"), opt)
	if startError(t, err, "interrupted"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	b.wantNothing(t, known)
}

func TestStopAfterKill(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := b.started(t, "good")
	if err := syscall.Kill(in.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	var live engine.Live
	for range 100 { // until the end of the leader is seen
		if live, _ = b.Inspect(context.Background(), in, engine.InspectOptions{StateDir: b.dir}); live.State == engine.StateOrphan {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if live.State != engine.StateOrphan {
		t.Errorf("%s %s", live.State, live.Detail)
	}
	for range 2 {
		if err := b.Stop(context.Background(), in, engine.StopOptions{StateDir: b.dir}); err != nil {
			t.Fatal(err)
		}
	}
	b.wantNothing(t, in)
}
