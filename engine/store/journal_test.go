package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

func openOps(t *testing.T, s *Store) string {
	t.Helper()
	_, open, err := s.Read()
	ok(t, err)
	var out []string
	for _, u := range open {
		out = append(out, fmt.Sprintf("%s %s %s", u.Op, u.Model, u.Instance.Token))
	}
	return strings.Join(out, ", ")
}

// TestEveryMomentOfAStepIsTold goes through a restart write by write.
func TestEveryMomentOfAStepIsTold(t *testing.T) {
	s := Open(t.TempDir(), "gpu")
	l := begun(t, s)
	a, b := instance("m", "old"), instance("m", "new")
	want := func(moment, open string) {
		t.Helper()
		if got := openOps(t, s); got != open {
			t.Errorf("%s: open %q, want %q", moment, got, open)
		}
	}
	record := func(in engine.Instance) {
		write(t, l, func(n *engine.Snapshot) { n.Instances = []engine.Instance{in} })
	}
	record(a)
	want("recorded", "")
	stop := intent(t, l, engine.OpStop, a)
	want("stop announced", "stop m old")
	start := intent(t, l, engine.OpStart, b)
	want("start announced", "stop m old, start m new")
	b.Pid = 43
	ok(t, l.Note(start, b))
	_, open, err := s.Read()
	ok(t, err)
	if open[1].Instance.Pid != 43 {
		t.Errorf("noted pid is not told: %+v", open[1])
	}
	record(b)
	want("written, no result", "")
	ok(t, l.Result(stop, nil))
	ok(t, l.Result(start, nil))
	want("results", "")
	record(a)
	want("put back from the backup", "stop m old, start m new")
}

func TestFailedAndGoneStepsAreClosed(t *testing.T) {
	s := Open(t.TempDir(), "gpu")
	l := begun(t, s)
	start := intent(t, l, engine.OpStart, instance("a", "1"))
	ok(t, l.Result(start, errors.New("out of memory")))
	intent(t, l, engine.OpStart, instance("b", "2"))
	ok(t, l.Gone(instance("b", "2")))
	intent(t, l, engine.OpStart, instance("c", "3"))
	ok(t, l.Result(intent(t, l, engine.OpStop, instance("c", "3")), nil))
	intent(t, l, engine.OpStart, instance("d", "4"))
	ok(t, l.Result(intent(t, l, engine.OpForget, instance("d", "4")), nil))
	ok(t, l.Result(intent(t, l, engine.OpStop, instance("e", "5")), errors.New("foreign")))
	intent(t, l, engine.OpUpdate, instance("f", "6"))
	if got := openOps(t, s); got != "update f 6" {
		t.Errorf("open %q", got)
	}
}

func TestOpenStartsAreCarriedUntilSettled(t *testing.T) {
	s := Open(t.TempDir(), "gpu")
	l := begun(t, s)
	intent(t, l, engine.OpStart, instance("a", "1"))
	for range 3 {
		ok(t, l.Close())
		l = begun(t, s)
		if got := openOps(t, s); got != "start a 1" {
			t.Fatalf("open %q", got)
		}
		ok(t, l.End())
	}
	ok(t, l.Close())
	l = begun(t, s)
	write(t, l, func(n *engine.Snapshot) { n.Instances = []engine.Instance{instance("a", "1")} })
	ok(t, l.Close())
	l = begun(t, s)
	write(t, l, func(n *engine.Snapshot) { n.Instances = nil })
	if got := openOps(t, s); got != "" {
		t.Errorf("what was recorded once is open again: %q", got)
	}
}

// TestTornJournal cuts a journal at every byte: it is always readable, and tells
// all whole lines before the cut.
func TestTornJournal(t *testing.T) {
	s := Open(t.TempDir(), "gpu")
	l := begun(t, s)
	intent(t, l, engine.OpStart, rich())
	ok(t, l.Result(intent(t, l, engine.OpStop, instance("b", "2")), nil))
	ok(t, l.Close())
	raw, err := os.ReadFile(s.path(journalFile))
	ok(t, err)
	for n := range len(raw) + 1 {
		recs, err := parseJournal("j", raw[:n])
		if err != nil || len(recs) != bytes.Count(raw[:n], []byte("\n")) {
			t.Fatalf("cut at %d: %d records, %v", n, len(recs), err)
		}
	}
	ok(t, os.WriteFile(s.path(journalFile), append(raw, make([]byte, 512)...), 0o600))
	if got := openOps(t, s); got != `start qwen["a"] t1` {
		t.Errorf("with a torn end: open %q", got)
	}
	l = begun(t, s)
	intent(t, l, engine.OpStart, instance("c", "3"))
	if got := openOps(t, s); got != `start qwen["a"] t1, start c 3` {
		t.Errorf("after a torn end: open %q", got)
	}
}

func TestDamagedJournalIsAnError(t *testing.T) {
	s := Open(t.TempDir(), "gpu")
	l := begun(t, s)
	intent(t, l, engine.OpStart, instance("a", "1"))
	ok(t, l.Close())
	raw, err := os.ReadFile(s.path(journalFile))
	ok(t, err)
	raw[3] = 0
	ok(t, os.WriteFile(s.path(journalFile), raw, 0o600))
	var broken *JournalError
	if _, _, err := s.Read(); !errors.As(err, &broken) || broken.Line != 1 || !strings.Contains(err.Error(), s.path(journalFile)) {
		t.Errorf("error %v", err)
	}
	if err := locked(t, s).Begin("d"); !errors.As(err, &broken) {
		t.Errorf("a run began on it: %v", err)
	}
}

func TestHistory(t *testing.T) {
	s := Open(t.TempDir(), "gpu")
	for i := range 3 {
		l := begun(t, s)
		ok(t, l.Result(intent(t, l, engine.OpForget, instance("a", "1")), nil))
		ok(t, l.Result(intent(t, l, engine.OpStop, instance("b", "2")), errors.New("no")))
		if i != 1 {
			ok(t, l.End())
		}
		ok(t, l.Close())
	}
	past, err := s.History()
	ok(t, err)
	if len(past) != 3 || past[0].End == nil || past[1].End != nil || past[2].End == nil {
		t.Fatalf("history %+v", past)
	}
	if p := past[0]; p.Who.Command != "test" || p.Plan != "digest" || len(p.Steps) != 2 || p.Steps[1].Error != "no" || time.Since(p.Start) > time.Hour {
		t.Errorf("run %+v", p)
	}
}

func TestBeginSweepsWhatAKillLeft(t *testing.T) {
	s := Open(t.TempDir(), "gpu")
	ok(t, locked(t, s).Close())
	ok(t, os.WriteFile(s.path(".snapshot.json123"), []byte("half"), 0o600))
	begun(t, s)
	if _, err := os.Stat(s.path(".snapshot.json123")); !os.IsNotExist(err) {
		t.Errorf("still there: %v", err)
	}
}
