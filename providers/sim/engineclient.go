package sim

import (
	"context"
	"errors"
	"slices"
	"sync"
	"syscall"
	"time"
)

// errEngineDead is what a request meets when the engine has ended.
var errEngineDead = errors.New("EngineCore encountered an issue. See stack trace (above) for the root cause.")

// engineClient is the leader's side of the engine.
type engineClient struct {
	process *child
	dead    chan struct{} // closed when the engine was seen dead
	met     chan struct{} // closed when a request met the dead engine

	mu      sync.Mutex
	workers []int
	waiting map[int64]chan struct{}
	last    int64
	once    sync.Once
}

func newEngineClient(process *child) *engineClient {
	return &engineClient{process: process, dead: make(chan struct{}), met: make(chan struct{}), waiting: map[int64]chan struct{}{}}
}

// note remembers the workers: they are killed together with the engine.
func (e *engineClient) note(m message) {
	if m.Kind == kindWorker {
		e.mu.Lock()
		e.workers = append(e.workers, m.Pid)
		e.mu.Unlock()
	}
}

// watch delivers the engine's answers until it is dead.
func (e *engineClient) watch() {
	for m := range e.process.in {
		e.mu.Lock()
		if done := e.waiting[m.ID]; done != nil && m.Kind == kindStep {
			delete(e.waiting, m.ID)
			close(done)
		}
		e.mu.Unlock()
	}
	close(e.dead)
}

// step has the engine make one token. It waits for ever on an engine that
// hangs: ctx is the client's patience.
func (e *engineClient) step(ctx context.Context) error {
	done := make(chan struct{})
	e.mu.Lock()
	e.last++
	id := e.last
	e.waiting[id] = done
	e.mu.Unlock()
	e.process.send(message{Kind: kindStep, ID: id})
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-e.dead:
		e.once.Do(func() { close(e.met) })
		return errEngineDead
	}
}

// isDead says whether the engine has ended.
func (e *engineClient) isDead() bool {
	select {
	case <-e.dead:
		return true
	default:
		return false
	}
}

// stop ends the engine and its workers: TERM, and KILL after patience; with
// none, KILL at once. It returns when the engine is gone.
func (e *engineClient) stop(patience time.Duration) {
	if patience > 0 {
		e.process.signal(syscall.SIGTERM)
		select {
		case <-e.process.done:
		case <-time.After(patience):
		}
	}
	e.process.signal(syscall.SIGKILL)
	<-e.process.done
	for _, pid := range e.workerPids() {
		killTitled(pid)
	}
}

func (e *engineClient) workerPids() []int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.workers)
}
