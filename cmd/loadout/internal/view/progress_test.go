package view

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/apply"
)

// clock is a time that tests move.
type clock struct{ t time.Time }

func (c *clock) now() time.Time          { return c.t }
func (c *clock) advance(d time.Duration) { c.t = c.t.Add(d) }

func script(p *Progress, c *clock) {
	qwen, chat, tiny := restart().Model, "old-chat", "tiny-llama"
	p.Event(apply.Event{Model: qwen, Action: engine.ActionRestart, Kind: apply.Waiting, Detail: "waits for GPU 0"})
	p.Event(apply.Event{Model: chat, Action: engine.ActionStop, Kind: apply.Started})
	c.advance(3 * time.Second)
	p.Event(apply.Event{Model: chat, Action: engine.ActionStop, Kind: apply.Done, Seconds: 3})
	p.Event(apply.Event{Model: qwen, Action: engine.ActionRestart, Kind: apply.Started, Expected: 95})
	for i := range 4 {
		c.advance(10 * time.Second)
		p.Event(apply.Event{
			Model: qwen, Action: engine.ActionRestart, Kind: apply.Progressing, Seconds: float64(10 * (i + 1)), Expected: 95,
			Progress: engine.Progress{Phase: "loading weights", Fraction: float64(i+1) / 5},
		})
	}
	p.Event(apply.Event{Model: tiny, Action: engine.ActionRestart, Kind: apply.Progressing, Progress: engine.Progress{Phase: "pulling\x1b[2J", Fraction: -1}})
	c.advance(time.Second)
	p.Event(apply.Event{Model: qwen, Action: engine.ActionRestart, Kind: apply.WasPutBack, Detail: "as in snapshot 41", Seconds: 92})
	p.Event(apply.Event{Model: tiny, Action: engine.ActionRestart, Kind: apply.ChangeFailed, Detail: `model "tiny-llama": exit status 1`, Seconds: 1})
}

func TestProgressInALog(t *testing.T) {
	golden(t, "progress_piped", draw(t, piped, func(s *Screen) error {
		c := &clock{time.Unix(1000, 0)}
		p := newProgress(s, planOf(0, stop(), restart(), crashed()), c.now)
		script(p, c)
		p.Close()
		return nil
	}))
}

func TestProgressCutsDigests(t *testing.T) {
	var b bytes.Buffer
	p := newProgress(piped(&b), planOf(0, crashed()), time.Now)
	phase := "using existing layer sha256:" + strings.Repeat("6a0746a1ec1a", 5) + "beef, not 0x1234567890abcdef"
	p.Event(apply.Event{Model: "tiny-llama", Kind: apply.Progressing, Progress: engine.Progress{Phase: phase, Fraction: -1}})
	if got := b.String(); !strings.Contains(got, "using existing layer sha256:6a0746a1ec1a, not 0x1234567890abcdef\n") {
		t.Errorf("got %s", got)
	}
}

// paper interprets what Progress writes to a terminal: cursor up, return, clear
// to the end of the screen.
func paper(t *testing.T, out string) []string {
	t.Helper()
	screen, row := []string{""}, 0
	for out != "" {
		switch {
		case strings.HasPrefix(out, "\x1b[J"):
			screen, out = append(screen[:row], ""), out[3:]
		case strings.HasPrefix(out, "\x1b["):
			var up int
			if _, err := fmt.Sscanf(out, "\x1b[%dA", &up); err != nil {
				t.Fatalf("unexpected escape in %q", out)
			}
			row -= up
			if row < 0 {
				t.Fatal("the cursor left the screen")
			}
			out = out[strings.IndexByte(out, 'A')+1:]
		case out[0] == '\r':
			out = out[1:]
		default:
			end := strings.IndexAny(out, "\n\r\x1b")
			if end == 0 { // a line break
				row++
				for len(screen) <= row {
					screen = append(screen, "")
				}
				out = out[1:]
				continue
			}
			screen[row] += out[:end]
			out = out[end:]
		}
	}
	return screen
}

func TestProgressOnATerminal(t *testing.T) {
	var b bytes.Buffer
	c := &clock{time.Unix(1000, 0)}
	s := &Screen{W: &b, Width: 80, TTY: true, Live: true}
	p := newProgress(s, planOf(0, stop(), restart(), crashed()), c.now)
	p.Event(apply.Event{Model: "tiny-llama", Action: engine.ActionRestart, Kind: apply.Waiting, Detail: "waits for GPU 0"})
	p.Event(apply.Event{Model: restart().Model, Action: engine.ActionRestart, Kind: apply.Progressing, Seconds: 40, Expected: 95, Progress: engine.Progress{Phase: "loading weights", Fraction: 0.68}})
	c.advance(1100 * time.Millisecond)
	p.mu.Lock()
	p.repaint("")
	p.mu.Unlock()
	during := paper(t, b.String())
	script(p, c)
	p.Close()
	after := paper(t, b.String())
	for _, l := range append(during, after...) {
		if cells(l) > 79 {
			t.Errorf("line would wrap: %q", l)
		}
	}
	golden(t, "progress_terminal", []byte("during\n"+strings.Join(during, "\n")+"after\n"+strings.Join(after, "\n")))
}

// Thousands of waiting models must not fill more than the screen.
func TestProgressIsBounded(t *testing.T) {
	var b bytes.Buffer
	s := &Screen{W: &b, Width: 80, TTY: true, Live: true}
	c := &clock{time.Unix(1000, 0)}
	p := newProgress(s, planOf(0, restart()), c.now)
	for i := range 300 {
		p.Event(apply.Event{Model: fmt.Sprintf("m%d", i), Kind: apply.Waiting, Detail: "waits"})
	}
	got := paper(t, b.String())
	if len(got) > liveMost+3 || !strings.Contains(strings.Join(got, "\n"), "and 289 more") {
		t.Errorf("%d lines:\n%s", len(got), strings.Join(got, "\n"))
	}
}

func TestProgressMayBeUsedFromManyGoroutines(t *testing.T) {
	var b bytes.Buffer
	p := NewProgress(&Screen{W: &b, Width: 80, TTY: true, Live: true}, planOf(0, restart()))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			p.Event(apply.Event{Model: fmt.Sprint("m", i), Kind: apply.Started})
			p.Event(apply.Event{Model: fmt.Sprint("m", i), Kind: apply.Done})
		})
	}
	wg.Wait()
	p.Close()
	p.Close() // twice is once
	if n := strings.Count(strings.Join(paper(t, b.String()), "\n"), "updated"); n != 8 {
		t.Errorf("%d models are shown as done, want 8", n)
	}
}
