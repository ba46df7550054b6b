package apply

import (
	"fmt"
	"sync"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/store"
)

// ledger is the Recorder with a memory for failure: when the state directory
// cannot be written any more, every lane stops beginning new things.
type ledger struct {
	Recorder
	mu     sync.Mutex
	err    error
	serial int64
}

func newLedger(r Recorder, prior *engine.Snapshot) *ledger {
	l := &ledger{Recorder: r}
	if prior != nil {
		l.serial = prior.Serial
	}
	return l
}

func (l *ledger) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *ledger) lastSerial() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.serial
}

// fail remembers the first failure and hands it back.
func (l *ledger) fail(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil && l.err == nil {
		l.err = err
	}
	return err
}

// announce puts an effect into the journal; without it the effect must not begin.
func (l *ledger) announce(op engine.Op, in engine.Instance) (int64, error) {
	seq, err := l.Intent(store.Step{Op: op, Model: in.Model, Instance: in})
	if err != nil {
		return 0, l.fail(fmt.Errorf("%s is not begun: %w", op, err))
	}
	return seq, nil
}

func (l *ledger) note(seq int64, in engine.Instance) error {
	return l.fail(l.Note(seq, in))
}

// failed closes an effect that did not work.
func (l *ledger) failed(seq int64, cause error) {
	_ = l.fail(l.Result(seq, cause))
}

// commit records what is true now and then closes the effects that made it so.
// If it cannot be recorded they stay open, and the next plan looks for them.
func (l *ledger) commit(edit func(*engine.Snapshot), seqs ...int64) error {
	serial, err := l.Write(edit)
	if err != nil {
		return l.fail(fmt.Errorf("it is not recorded (the next plan will see what came of it): %w", err))
	}
	l.mu.Lock()
	l.serial = max(l.serial, serial)
	l.mu.Unlock()
	for _, seq := range seqs {
		if err := l.fail(l.Result(seq, nil)); err != nil {
			return err
		}
	}
	return nil
}
