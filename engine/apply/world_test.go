package apply

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/loadoutdev/loadout/engine"
)

// world is a host in memory: processes that outlive the run that started them.
type world struct {
	mu       sync.Mutex
	procs    map[string]*proc // by token
	nextPid  int
	log      []string        // effects in order
	broken   []string        // what must never happen
	bad      map[string]bool // Launch.Model values that never become ready
	foreign  map[string]bool // models whose process is not ours
	unfit    map[string]bool // Launch.Model values that cannot be started, as a look tells
	swept    string          // where launch directories were last swept,
	kept     []string        // and which of them were to stay
	environs [][]string      // given to each start
	env      map[string]string
	adopt    map[int]engine.Instance
	onStart  func(ctx context.Context, model string) error // while starting
	point    func()                                        // a place to be killed at
}

type proc struct {
	engine.Instance
	state  engine.State
	looked bool
}

func newWorld() *world {
	return &world{procs: map[string]*proc{}, nextPid: 100, bad: map[string]bool{}, foreign: map[string]bool{},
		env: map[string]string{}, adopt: map[int]engine.Instance{}}
}

func (w *world) Render(m *engine.Model, _ engine.RenderEnv) (engine.Launch, []engine.Problem) {
	return render(m), nil
}

func render(m *engine.Model) engine.Launch {
	return engine.Launch{Backend: "fake", Argv: []string{"serve", m.Name, fmt.Sprint(m.Args["x"])}, Env: m.Env,
		Model: fmt.Sprint(m.Args["x"]), Served: []string{m.Name}, Port: m.Port, GPUs: m.GPUs}
}

func (w *world) Effect(path string) engine.Effect {
	if a, ok := engine.LookupAttribute(engine.Root(path)); ok {
		return a.Effect
	}
	return engine.EffectHot
}

func (w *world) kill() {
	if w.point != nil {
		w.point()
	}
}

func (w *world) Start(ctx context.Context, l engine.Launch, opt engine.StartOptions) (engine.Instance, error) {
	w.kill()
	in, err := w.spawn(l, opt)
	if err != nil {
		return in, err
	}
	w.kill()
	if err := opt.Started(in); err != nil {
		w.end(in.Token)
		return engine.Instance{}, err
	}
	opt.Progress(engine.Progress{Phase: "loading", Fraction: 0.5})
	if w.onStart != nil {
		if err := w.onStart(ctx, opt.Model); err != nil {
			w.end(in.Token)
			return engine.Instance{}, err
		}
	}
	if w.bad[l.Model] {
		w.end(in.Token)
		return engine.Instance{}, &engine.StartError{Class: "out_of_memory", Cause: "no room for " + l.Model, Log: opt.LogPath}
	}
	w.mu.Lock()
	w.procs[in.Token].state = engine.StateReady
	w.mu.Unlock()
	w.kill()
	return in, nil
}

func (w *world) spawn(l engine.Launch, opt engine.StartOptions) (engine.Instance, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.procs {
		if p.Model == opt.Model {
			w.broken = append(w.broken, "two processes of "+opt.Model)
		}
		if p.Launch.Port == l.Port {
			return engine.Instance{}, &engine.StartError{Class: "port", Cause: "port " + strconv.Itoa(l.Port) + " is taken by " + p.Model}
		}
	}
	for name, v := range l.Env {
		if s, ok := v.(engine.Secret); ok {
			if _, plain := s.Reveal(); !plain {
				return engine.Instance{}, fmt.Errorf("%s has no plain text", name)
			}
		}
	}
	w.environs = append(w.environs, opt.Environ)
	w.nextPid++
	in := engine.Instance{Model: opt.Model, Backend: "fake", ID: opt.ID, Token: opt.Token, Launch: l,
		LaunchDigest: l.Digest(), Pid: w.nextPid, Log: opt.LogPath, Dir: opt.Dir}
	w.procs[opt.Token] = &proc{Instance: in, state: engine.StateStarting}
	w.log = append(w.log, "start "+opt.Model+" "+l.Model)
	return in, nil
}

func (w *world) end(token string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.procs, token)
}

func (w *world) Stop(_ context.Context, in engine.Instance, _ engine.StopOptions) error {
	w.kill()
	if w.foreign[in.Model] {
		return fmt.Errorf("pid %d: %w", in.Pid, engine.ErrForeign)
	}
	w.mu.Lock()
	w.log = append(w.log, "stop "+in.Model)
	w.mu.Unlock()
	w.end(in.Token)
	w.kill()
	return nil
}

func (w *world) Inspect(_ context.Context, in engine.Instance, _ engine.InspectOptions) (engine.Live, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.procs[in.Token]
	if p == nil {
		return engine.Live{Instance: in, State: engine.StateGone, Detail: "gone"}, nil
	}
	live := engine.Live{Instance: in, State: p.state}
	live.Pid = p.Pid
	switch {
	case p.state == engine.StateStarting && w.bad[p.Launch.Model] && p.looked:
		delete(w.procs, in.Token)
		live.State = engine.StateGone
	case p.state == engine.StateStarting && !w.bad[p.Launch.Model]:
		p.state = engine.StateReady // it goes on loading while we look
	}
	p.looked = true
	return live, nil
}

func (w *world) Update(_ context.Context, old engine.Instance, l engine.Launch, _ engine.StartOptions) (engine.Instance, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.procs[old.Token]
	if p == nil {
		return engine.Instance{}, errors.New("nothing to update")
	}
	p.Launch = l
	w.log = append(w.log, "update "+old.Model)
	return p.Instance, nil
}

func (w *world) Adopt(_ context.Context, l engine.Launch, pid int, _ engine.InspectOptions) (engine.Instance, error) {
	in, ok := w.adopt[pid]
	if !ok {
		return in, fmt.Errorf("no process %d", pid)
	}
	in.Launch, in.LaunchDigest = l, l.Digest()
	return in, nil
}

func (w *world) Reveal(context.Context, engine.Instance) (map[string]string, error) {
	return w.env, nil
}

// running lists model → Launch.Model of what is alive.
func (w *world) running() map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]string{}
	for _, p := range w.procs {
		out[p.Model] = p.Launch.Model
	}
	return out
}

func (w *world) effects() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string{}, w.log...)
}

func (w *world) checkSound(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range w.broken {
		t.Error(b)
	}
}
