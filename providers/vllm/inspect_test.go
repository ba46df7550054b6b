package vllm

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/providers/process"
)

func (b *bench) inspect(t *testing.T, in engine.Instance) engine.Live {
	t.Helper()
	live, err := b.Inspect(context.Background(), in, engine.InspectOptions{StateDir: b.dir, Generate: true, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return live
}

func wantMismatch(t *testing.T, live engine.Live, code engine.ReasonCode, path string) {
	t.Helper()
	for _, m := range live.Mismatches {
		if m.Code == code && m.Path == path {
			return
		}
	}
	t.Errorf("no mismatch %s %s: %+v", code, path, live.Mismatches)
}

func TestInspectReady(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	config := filepath.Join(b.files, "config.json")
	if err := os.WriteFile(config, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := b.model("good")
	m.ChatTemplate = "{{ x }}"
	l, _ := b.Render(m, engine.RenderEnv{})
	in, err := b.start(t, l, b.options())
	if err != nil {
		t.Fatal(err)
	}
	live := b.inspect(t, in)
	if live.State != engine.StateReady || len(live.Mismatches) > 0 || len(live.Served) != 2 {
		t.Errorf("%s %s %+v", live.State, live.Detail, live.Mismatches)
	}
	for path, want := range map[string]engine.Value{
		"args.max_model_len": int64(512), "served_name": "tiny", "port": int64(b.port), "host": "127.0.0.1", "facts.path": b.files, "chat_template": "{{ x }}",
	} {
		if !engine.EqualValues(live.Fields[path], want) {
			t.Errorf("%s is %v, want %v", path, live.Fields[path], want)
		}
	}
	known := engine.Instance{Token: in.Token, Launch: in.Launch, Dir: in.Dir}
	if live := b.inspect(t, known); live.State != engine.StateReady || live.Pid != in.Pid || live.StartTime != in.StartTime || live.StartedAt.IsZero() {
		t.Errorf("by token: %+v", live)
	}
	if err := os.WriteFile(config, []byte("{ }"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantMismatch(t, b.inspect(t, in), engine.ReasonArtifactChanged, "artifact")
}

func TestInspectDifferences(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := b.started(t, "shorter")
	wantMismatch(t, b.inspect(t, in), engine.ReasonAnswersDifferently, "args.max_model_len")

	changed := in
	changed.Launch = b.launch(t, "shorter")
	changed.Launch.Argv = append(changed.Launch.Argv, "--seed", "7")
	wantMismatch(t, b.inspect(t, changed), engine.ReasonProcessDiffers, "args.seed")

	named := in
	named.Launch.Served = []string{"another"}
	live := b.inspect(t, named)
	wantMismatch(t, live, engine.ReasonAnswersDifferently, "served_name")
	if live.State != engine.StateWrong {
		t.Error(live.State)
	}
}

func TestInspectStates(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := b.started(t, "good")
	deaf := in
	deaf.Launch.Port = freePort(t)
	if live := b.inspect(t, deaf); live.State != engine.StateHung {
		t.Errorf("ready once, silent now: %s %s", live.State, live.Detail)
	}
	deaf.ReadySeconds = 0
	if live := b.inspect(t, deaf); live.State != engine.StateStarting {
		t.Errorf("silent: %s %s", live.State, live.Detail)
	}
	stale := in
	stale.StartTime--
	if live := b.inspect(t, stale); live.State != engine.StateGone || live.Detail == "" {
		t.Errorf("another process: %s %s", live.State, live.Detail)
	}
	env, err := b.Reveal(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(hangFile(env["TMPDIR"]), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if live := b.inspect(t, in); live.State != engine.StateHung {
		t.Errorf("hung engine: %s %s", live.State, live.Detail)
	}
	if err := syscall.Kill(in.Pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if live := b.inspect(t, in); live.State != engine.StateHung {
		t.Errorf("stopped: %s %s", live.State, live.Detail)
	}
}

func TestInspectStranger(t *testing.T) {
	t.Parallel()
	a, b := newBench(t), newBench(t)
	mine, other := a.started(t, "good"), b.started(t, "good")
	mine.Launch.Port = b.port
	if live := a.inspect(t, mine); live.State != engine.StateWrong {
		t.Errorf("%s %s", live.State, live.Detail)
	}
	if err := a.Stop(context.Background(), mine, engine.StopOptions{StateDir: a.dir}); err != nil {
		t.Error(err)
	}
	if live := b.inspect(t, other); live.State != engine.StateReady {
		t.Errorf("the stranger was harmed: %s", live.Detail)
	}
}

func TestInspectDeadEngine(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	l := b.launch(t, "dead")
	in, err := b.start(t, l, b.options())
	if err != nil {
		t.Fatal(err) // /health plays no part in the start
	}
	if live := b.inspect(t, in); live.State != engine.StateHung {
		t.Errorf("%s %s", live.State, live.Detail)
	}
}

func TestAdopt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	l := b.launch(t, "good")
	child, err := process.Start(process.Spec{Argv: l.Argv, Dir: b.dir, Log: filepath.Join(b.dir, "log"), Env: []string{"PATH=/bin", "TMPDIR=" + b.dir}})
	if err != nil {
		t.Fatal(err)
	}
	defer process.Stop(context.Background(), child.Identity, process.StopOptions{Timeout: 5 * time.Second})
	for range 250 {
		if who, _ := process.Listeners("127.0.0.1", b.port); len(who) > 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	for _, pid := range []int{0, child.Pid} {
		in, err := b.Adopt(context.Background(), l, pid, engine.InspectOptions{StateDir: b.dir})
		if err != nil || in.Pid != child.Pid || in.Token != "" || !in.Adopted {
			t.Fatalf("%+v %v", in, err)
		}
		if live := b.inspect(t, in); live.State != engine.StateReady || len(live.Mismatches) > 0 {
			t.Errorf("%s %s %+v", live.State, live.Detail, live.Mismatches)
		}
	}
	differs := l
	differs.Argv = append(append([]string{}, l.Argv...), "--enforce-eager")
	in, err := b.Adopt(context.Background(), differs, child.Pid, engine.InspectOptions{StateDir: b.dir})
	if err != nil {
		t.Fatal(err)
	}
	wantMismatch(t, b.inspect(t, in), engine.ReasonProcessDiffers, "args.enforce_eager")
	if err := b.Stop(context.Background(), in, engine.StopOptions{StateDir: b.dir, Timeout: 5 * time.Second}); err != nil {
		t.Fatal(err)
	}
	if live := b.inspect(t, in); live.State != engine.StateGone {
		t.Error(live.State)
	}
}

func TestAdoptRefuses(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	l := b.launch(t, "good")
	for name, pid := range map[string]int{"nobody listens": 0, "no server": os.Getpid(), "no process": 1 << 30} {
		if _, err := b.Adopt(context.Background(), l, pid, engine.InspectOptions{}); err == nil {
			t.Errorf("%s: adopted", name)
		}
	}
	stranger := engine.Instance{Model: "tiny", Launch: l, Adopted: true, Pid: os.Getpid(), StartTime: 1, BootID: "x"}
	if err := b.Stop(context.Background(), stranger, engine.StopOptions{}); !errors.Is(err, engine.ErrForeign) {
		t.Error(err)
	}
}
