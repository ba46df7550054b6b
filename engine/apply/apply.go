package apply

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/store"
)

// Recorder is what a run needs of the locked state. *store.Locked is one.
type Recorder interface {
	Dir() string
	Read() (*engine.Snapshot, []engine.Unfinished, error)
	Begin(plan string) error
	NextLaunch(model string) (string, error)
	Intent(store.Step) (int64, error)
	Note(seq int64, in engine.Instance) error
	Result(seq int64, failed error) error
	Gone(engine.Instance) error
	Write(edit func(*engine.Snapshot)) (serial int64, err error)
	End() error
}

// Options of a run.
type Options struct {
	Providers map[string]engine.Provider // by name of the backend
	Store     Recorder
	// OnFailure overrides the lifecycle of every model; empty: each its own.
	OnFailure engine.OnFailure
	// Parallel is how many lanes run at once; 0: all of them.
	Parallel int
	// Devices gives the UUIDs of GPUs by their declared ids, where known.
	Devices map[string]string
	// Measure tells how much GPU memory an instance that has just become ready
	// holds, in bytes; 0: unknown. May be nil.
	Measure func(context.Context, engine.Instance) int64
	// Soft is closed to ask for an end after the step under way. Canceling the
	// context ends the step itself; what is true then is still recorded.
	Soft <-chan struct{}
	// Events is told what happens; it is never called concurrently. May be nil.
	Events func(Event)
	Now    func() time.Time // nil: time.Now
}

// StaleError is a plan that was made from another snapshot than the present one.
type StaleError struct {
	PlanSerial, Serial   int64
	PlanLineage, Lineage string
}

func (e *StaleError) Error() string {
	if e.PlanLineage != e.Lineage {
		return fmt.Sprintf("the plan was made from another state (lineage %s, now %s): plan again",
			orNone(e.PlanLineage), orNone(e.Lineage))
	}
	return fmt.Sprintf("the plan was made from snapshot %d, and snapshot %d is the present one: plan again",
		e.PlanSerial, e.Serial)
}

func orNone(lineage string) string {
	if lineage == "" {
		return "none"
	}
	return lineage
}

// Run carries out the plan. How each model fared is in the Result; the error is
// for the run as a whole: a stale plan (*StaleError), or a state directory that
// cannot be written, after which nothing new is begun. With both set, the
// Result says how far it came.
func Run(ctx context.Context, plan *engine.Plan, o Options) (*Result, error) {
	snap, open, err := o.Store.Read()
	if err != nil {
		return nil, err
	}
	if err := checkFresh(plan, snap); err != nil {
		return nil, err
	}
	if err := o.Store.Begin(plan.Digest); err != nil {
		return nil, err
	}
	r := newRunner(o, snap, open)
	r.settle(ctx, plan, open)
	r.runLanes(ctx, Lanes(r.recordAll(ctx, plan.Changes)))
	r.sweep()
	if r.ledger.failure() == nil {
		_ = r.ledger.fail(o.Store.End()) // failure() says it below
	}
	return r.result(plan), r.ledger.failure()
}

func checkFresh(plan *engine.Plan, snap *engine.Snapshot) error {
	e := StaleError{PlanSerial: plan.Serial, PlanLineage: plan.Lineage}
	if snap != nil {
		e.Serial, e.Lineage = snap.Serial, snap.Lineage
	}
	if e.PlanSerial != e.Serial || e.PlanLineage != e.Lineage {
		return &e
	}
	return nil
}

// runner is one run of a plan.
type runner struct {
	Options
	ledger  *ledger
	events  *emitter
	prior   *engine.Snapshot
	stopped map[string]bool   // token of recorded instances that an interrupted run was stopping
	blocked map[string]string // models that must not be started, and why

	mu       sync.Mutex
	outcomes map[string]Outcome
	held     bool // something was not done because of an interrupt
}

func newRunner(o Options, prior *engine.Snapshot, open []engine.Unfinished) *runner {
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &runner{
		Options: o, prior: prior, ledger: newLedger(o.Store, prior), events: &emitter{send: o.Events},
		stopped: map[string]bool{}, blocked: map[string]string{}, outcomes: map[string]Outcome{},
	}
	for _, u := range open {
		if u.Op == engine.OpStop && u.Instance.Token != "" {
			r.stopped[u.Instance.Token] = true
		}
	}
	return r
}

func (r *runner) runLanes(ctx context.Context, lanes []Lane) {
	limit := r.Parallel
	if limit <= 0 {
		limit = max(1, len(lanes))
	}
	slots := make(chan struct{}, limit)
	var wg sync.WaitGroup
	crashes := make(chan string, len(lanes))
	for _, l := range lanes {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			defer func() {
				if p := recover(); p != nil {
					crashes <- fmt.Sprintf("%v\n\n%s", p, debug.Stack())
				}
			}()
			r.runLane(ctx, l)
		})
	}
	wg.Wait()
	if len(crashes) > 0 {
		panic(<-crashes) // where the caller can catch it, and after the other lanes
	}
}

// runLane does one unit after the other until one fails.
func (r *runner) runLane(ctx context.Context, l Lane) {
	for _, u := range l[min(1, len(l)):] {
		for _, c := range u {
			r.events.emit(Event{Model: c.Model, Action: c.Action, Kind: Waiting, Detail: waitsFor(c, l[0][0])})
		}
	}
	reason := ""
	for _, u := range l {
		if reason == "" {
			reason = r.halted(ctx)
		}
		if reason != "" {
			r.skip(u, reason)
			continue
		}
		if failed := r.runUnit(ctx, u); failed != "" {
			reason = "after the failure of " + failed
		}
	}
}

// halted says why nothing new may be begun; empty when it may.
func (r *runner) halted(ctx context.Context) string {
	if r.ledger.failure() != nil {
		return "the state directory cannot be written"
	}
	if ctx.Err() != nil || closed(r.Soft) {
		r.hold()
		return "interrupted"
	}
	return ""
}

func (r *runner) hold() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = true
}

func (r *runner) skip(u Unit, reason string) {
	for _, c := range u {
		r.report(Outcome{Model: c.Model, Action: c.Action, Status: NotStarted, Detail: reason})
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
