package view

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/apply"
)

// living is one line that is never wider than the terminal.
func (p *Progress) living(l *liveLine) string {
	sign, st := p.s.symbol(l.event.Action)
	name := pad(p.s.shorten(p.s.clean(l.event.Model), p.width), p.width)
	sec := ""
	if l.event.Kind != apply.Waiting {
		sec = elapsed(l.event.Seconds+p.now().Sub(l.at).Seconds(), l.event.Expected)
	}
	room := p.s.columns() - len("  x ") - p.width - len("   ") - 2 - cells(sec)
	status := p.s.shorten(p.status(&l.event, room), max(room, 0))
	return "  " + p.s.paint(st, sign) + " " + name + "   " + pad(status, room) + " " + p.s.paint(faint, sec)
}

func elapsed(sec, expected float64) string {
	text := strconv.Itoa(int(sec)) + " s"
	if expected > 0 {
		text += " of about " + strconv.Itoa(int(expected+0.5))
	}
	return text
}

// status is what happens now, with a gauge where the backend tells how far.
func (p *Progress) status(e *apply.Event, room int) string {
	switch e.Kind {
	case apply.Waiting:
		return p.s.clean(e.Detail)
	case apply.Progressing:
		text := p.phase(e)
		if f := e.Progress.Fraction; f >= 0 && e.Progress.Phase != "" {
			percent := fmt.Sprintf(" %3.0f %%", f*100)
			if w := min(14, room-cells(text)-cells(percent)-1); w >= 4 {
				text += " " + p.s.gauge(int64(f*1000), 1000, w)
			}
			text += percent
		}
		return text
	case apply.Started, apply.Done, apply.ChangeFailed, apply.WasPutBack:
	}
	return doing(e.Action)
}

// digest is a long run of hexadecimal digits; its first twelve say which it is.
var digest = regexp.MustCompile(`\b([0-9a-f]{12})[0-9a-f]{20,}\b`)

// phase is what the backend says it does, with digests cut.
func (p *Progress) phase(e *apply.Event) string {
	return p.s.clean(digest.ReplaceAllString(e.Progress.Phase, "$1"))
}

func doing(a engine.Action) string {
	switch a {
	case engine.ActionCreate:
		return "starting"
	case engine.ActionRestart:
		return "restarting"
	case engine.ActionReplace:
		return "replacing"
	case engine.ActionStop:
		return "stopping"
	case engine.ActionForget:
		return "forgetting"
	case engine.ActionAdopt:
		return "adopting"
	case engine.ActionUpdate, engine.ActionNone:
	}
	return "updating"
}

// lasting is the line that stays when a model is done.
func (p *Progress) lasting(e apply.Event) string {
	sign, st := p.s.symbol(e.Action)
	name := pad(p.s.shorten(p.s.clean(e.Model), p.width), p.width)
	sec := seconds(e.Seconds)
	room := p.s.columns() - len("  x ") - p.width - len("   ") - 2 - cells(sec)
	text, ink := ended(e)
	text = p.s.shorten(p.s.clean(text), max(room, 0))
	return "  " + p.s.paint(st, sign) + " " + name + "   " + p.s.paint(ink, text) + strings.Repeat(" ", max(room-cells(text), 0)) + " " + p.s.paint(faint, sec) + "\n"
}

func ended(e apply.Event) (string, style) {
	switch e.Kind {
	case apply.ChangeFailed:
		return "failed" + after(": ", withoutModel(e.Detail, e.Model)), bad
	case apply.WasPutBack:
		return "put back" + after(", ", e.Detail), warn
	case apply.Done, apply.Waiting, apply.Started, apply.Progressing:
	}
	return done(e.Action) + after(", ", e.Detail), plain
}

func done(a engine.Action) string {
	switch a {
	case engine.ActionCreate:
		return "started"
	case engine.ActionRestart:
		return "restarted"
	case engine.ActionReplace:
		return "replaced"
	case engine.ActionStop:
		return "stopped"
	case engine.ActionForget:
		return "forgotten"
	case engine.ActionAdopt:
		return "adopted"
	case engine.ActionUpdate, engine.ActionNone:
	}
	return "updated"
}

// logLine is an event with the seconds since the run began.
func (p *Progress) logLine(e apply.Event) string {
	text := ""
	switch {
	case over(e.Kind):
		ending, _ := ended(e)
		text = p.s.clean(ending)
	case e.Kind == apply.Progressing:
		text = p.phase(&e)
	default:
		text = p.status(&e, 0)
	}
	sign, _ := p.s.symbol(e.Action)
	since := padLeft(strconv.Itoa(int(p.now().Sub(p.began).Seconds()))+" s", 7)
	return since + "  " + sign + " " + pad(p.s.clean(e.Model), p.width) + "   " + text + "\n"
}

// withoutModel cuts the name off an error that names its model.
func withoutModel(text, model string) string {
	return strings.TrimPrefix(text, fmt.Sprintf("model %q: ", model))
}
