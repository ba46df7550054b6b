package view

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/apply"
)

// liveMost is how many living lines are shown at once: they must all be on the
// screen, because the cursor cannot go back to what has scrolled away.
const liveMost = 12

// nameMost is the width of a name beside a living line.
const nameMost = 24

// Progress shows a run while it lasts. On a terminal each model that is being
// changed has one living line, which becomes a lasting one when it is done; in
// a log each event that says something new is one line.
type Progress struct {
	s     *Screen
	now   func() time.Time
	began time.Time
	width int // of the names
	end   chan struct{}

	mu    sync.Mutex
	live  []*liveLine
	drawn int // living lines on the screen
}

// liveLine is the last that was heard of a model.
type liveLine struct {
	event apply.Event
	at    time.Time
}

// NewProgress begins to show the run of a plan. Close must be called at its end.
func NewProgress(s *Screen, plan *engine.Plan) *Progress {
	p := newProgress(s, plan, time.Now)
	if s.Live {
		go p.tick()
	}
	return p
}

func newProgress(s *Screen, plan *engine.Plan, now func() time.Time) *Progress {
	p := &Progress{s: s, now: now, began: now(), end: make(chan struct{})}
	for i := range plan.Changes {
		p.width = max(p.width, cells(s.clean(plan.Changes[i].Model)))
	}
	if s.Live {
		p.width = min(p.width, nameMost)
	}
	dot := " " + s.glyphs().dot + " "
	p.write(s.clean(plan.Workspace) + dot + "applying plan " + shortDigest(plan.Digest) + dot + Count(len(plan.Changes), "step") + "\n")
	return p
}

// tick repaints once a second, so that the seconds run while a backend is silent.
func (p *Progress) tick() {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-p.end:
			return
		case <-t.C:
			p.mu.Lock()
			p.repaint("")
			p.mu.Unlock()
		}
	}
}

// Close removes the living lines.
func (p *Progress) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.end:
		return
	default:
		close(p.end)
	}
	p.live = nil
	if p.s.Live {
		p.repaint("")
	}
}

// Event takes what happens during a run; it is what apply.Options.Events wants.
func (p *Progress) Event(e apply.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.update(e)
	switch {
	case p.s.Live && over(e.Kind):
		p.repaint(p.lasting(e))
	case p.s.Live:
		p.repaint("")
	case before == nil || before.Kind != e.Kind || before.Progress.Phase != e.Progress.Phase:
		p.write(p.logLine(e))
	}
}

func over(k apply.Kind) bool {
	return k == apply.Done || k == apply.ChangeFailed || k == apply.WasPutBack
}

// update keeps the line of the event's model and returns what it said before.
func (p *Progress) update(e apply.Event) *apply.Event {
	for i, l := range p.live {
		if l.event.Model != e.Model {
			continue
		}
		before := l.event
		if over(e.Kind) {
			p.live = append(p.live[:i], p.live[i+1:]...)
		} else {
			l.event, l.at = e, p.now()
		}
		return &before
	}
	if !over(e.Kind) {
		p.live = append(p.live, &liveLine{e, p.now()})
	}
	return nil
}

// write is best effort: a progress that cannot be shown must not stop a run.
func (p *Progress) write(text string) { _, _ = p.s.W.Write([]byte(text)) }

// repaint replaces the living lines, with lasting text before them.
func (p *Progress) repaint(lasting string) {
	var b strings.Builder
	if p.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", p.drawn)
	}
	b.WriteString("\r\x1b[J" + lasting)
	shown := p.live
	if len(shown) > liveMost {
		shown = shown[:liveMost-1]
	}
	for _, l := range shown {
		b.WriteString(p.living(l) + "\n")
	}
	p.drawn = len(shown)
	if rest := len(p.live) - len(shown); rest > 0 {
		b.WriteString("  " + p.s.glyphs().ellipsis + " and " + strconv.Itoa(rest) + " more\n")
		p.drawn++
	}
	p.write(b.String())
}
