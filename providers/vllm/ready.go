package vllm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/providers/process"
)

// Times of a start.
const (
	startPoll     = 200 * time.Millisecond
	reportEvery   = time.Second
	askTimeout    = 5 * time.Second  // for /v1/models
	tokenTimeout  = 2 * time.Minute  // for the first token: kernels may be compiled for it
	deathWait     = 10 * time.Second // an engine that died takes the server with it
	diagnoseBytes = 8 << 20          // of the end of the log
)

// startup is one start under way.
type startup struct {
	launch   engine.Launch
	opt      engine.StartOptions
	child    *process.Child
	log      *process.Follower
	begun    time.Time
	progress engine.Progress
	reported time.Time
	token1   time.Duration // how long the first token took
}

func newStartup(l engine.Launch, opt engine.StartOptions, child *process.Child) *startup {
	return &startup{
		launch: l, opt: opt, child: child, log: process.Follow(child.Log, child.Offset), begun: time.Now(),
		progress: engine.Progress{Phase: firstPhase, Fraction: -1},
	}
}

// await returns nil when the server is ready.
func (s *startup) await(ctx context.Context) error {
	timeout := s.opt.Timeout
	if timeout <= 0 {
		timeout = engine.DefaultStartTimeout
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	alive, dead := context.WithCancel(limited) // a question to a dead server is given up
	defer dead()
	go func() {
		select {
		case <-s.child.Ended():
			dead()
		case <-alive.Done():
		}
	}()
	for {
		s.follow()
		ready, err := s.check(alive)
		if ready || err != nil && alive.Err() == nil {
			return err
		}
		select {
		case <-s.child.Ended():
			return s.diagnosis()
		case <-limited.Done():
			return s.late(ctx, timeout)
		case <-time.After(startPoll):
		}
	}
}

// check is one look: ready, or an error when it will never be.
func (s *startup) check(ctx context.Context) (ready bool, err error) {
	ours, err := s.listening()
	if !ours || err != nil {
		return false, err
	}
	c := newClient(s.launch.URL, s.key())
	have, err := s.models(ctx, c)
	if err != nil {
		if a := (answer{}); errors.As(err, &a) && a.status < 500 {
			return false, &engine.StartError{Class: classWrong, Cause: "GET /v1/models: " + a.Error(), Status: "alive", Log: s.opt.LogPath,
				Hint: "the command may be no vLLM server; a key belongs in env.VLLM_API_KEY"}
		}
		return false, nil // about to serve
	}
	if lack := missing(s.launch.Served, have); len(lack) > 0 {
		return false, &engine.StartError{Class: classWrong, Status: "alive", Log: s.opt.LogPath,
			Cause: fmt.Sprintf("the server lists %s and not %s", strings.Join(ids(have), ", "), strings.Join(lack, ", "))}
	}
	if s.opt.Probe == engine.ProbeModels {
		return true, nil
	}
	return s.token(ctx, c)
}

// listening: our server has the port. A stranger there is an error: two servers
// that load at the same time both bind, and the second one never serves.
func (s *startup) listening() (bool, error) {
	listeners, err := process.Listeners(s.launch.Host, s.launch.Port)
	if err != nil || len(listeners) == 0 {
		return false, err
	}
	seen, err := s.child.Look()
	if err != nil || seen.Standing != process.Running {
		return false, err
	}
	who, stranger, err := seen.Listens(s.launch.Host, s.launch.Port)
	if err != nil || who == process.Silent || who == process.Ours {
		return who == process.Ours, err
	}
	return false, &engine.StartError{Class: classPort, Field: "port", Status: "alive", Log: s.opt.LogPath,
		Cause: fmt.Sprintf("%s took port %d while this server was loading", stranger, s.launch.Port),
		Hint:  "stop it, or set another port"}
}

func (s *startup) models(ctx context.Context, c *client) ([]listed, error) {
	asked, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return c.models(asked)
}

// token asks for one token, once: an engine that cannot give one dies of the
// question, or hangs.
func (s *startup) token(ctx context.Context, c *client) (bool, error) {
	s.report(engine.Progress{Phase: "generating a token", Fraction: -1}, true)
	asked, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	began := time.Now()
	err := c.generate(asked, s.launch.Served[0])
	s.token1 = time.Since(began)
	switch {
	case err == nil, errors.Is(err, errNoGeneration):
		return true, nil
	case ctx.Err() != nil:
		return false, nil // the leader ended, or the time is over: that is the cause
	case errors.Is(err, context.DeadlineExceeded):
		return false, &engine.StartError{Class: classHung, Status: "alive", Log: s.opt.LogPath,
			Cause: fmt.Sprintf("it answers, but generated no token within %s", tokenTimeout)}
	}
	select {
	case <-s.child.Ended():
		return false, nil
	case <-ctx.Done():
		return false, nil
	case <-time.After(deathWait):
	}
	return false, &engine.StartError{Class: classGenerate, Cause: "it answers, but cannot generate: " + err.Error(),
		Hint: `if it is not meant to generate, set probe = "models" in lifecycle`, Field: "lifecycle.probe", Status: "alive", Log: s.opt.LogPath}
}

// key is the API key that the server was given.
func (s *startup) key() string {
	switch v := s.launch.Env["VLLM_API_KEY"].(type) {
	case string:
		return v
	case engine.Secret:
		plain, _ := v.Reveal()
		return plain
	}
	return ""
}

// diagnosis reads the log of this launch for the cause of its end.
func (s *startup) diagnosis() error {
	lines, err := process.Lines(s.child.Log, s.child.Offset, diagnoseBytes)
	if err != nil {
		return err
	}
	e := Diagnose(lines, s.child.Status())
	e.Log = s.opt.LogPath
	return e
}

// late is the end of a start that took too long, or was interrupted.
func (s *startup) late(ctx context.Context, timeout time.Duration) error {
	if ctx.Err() != nil {
		e := &engine.StartError{Class: "interrupted", Cause: "interrupted while " + s.progress.Phase, Status: "alive", Log: s.opt.LogPath}
		return fmt.Errorf("%w: %w", e, context.Cause(ctx))
	}
	return &engine.StartError{Class: classTimeout, Status: "alive", Log: s.opt.LogPath, Field: "lifecycle.start_timeout",
		Cause: fmt.Sprintf("not ready after %s; the last phase was %s", timeout, s.progress.Phase),
		Hint:  "raise start_timeout in lifecycle if the model only needs longer"}
}

// follow reads the log and reports the phase.
func (s *startup) follow() {
	p, changed := s.progress, false
	for _, line := range s.log.Next() {
		if now, ok := phaseOf(line); ok {
			p, changed = now, changed || now.Phase != s.progress.Phase
		}
	}
	s.report(p, changed)
}

// report passes the phase on when it changes, and now and then besides. Where
// the duration of an earlier start is known, the fraction is of the whole.
func (s *startup) report(p engine.Progress, changed bool) {
	s.progress = p
	if s.opt.Progress == nil || !changed && time.Since(s.reported) < reportEvery {
		return
	}
	s.reported = time.Now()
	if s.opt.Expect > 0 {
		p.Fraction = min(0.99, float64(time.Since(s.begun))/float64(s.opt.Expect))
	}
	s.opt.Progress(p)
}
