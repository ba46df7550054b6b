package view

import (
	"fmt"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// change writes the block of one model: title with what it costs, why, fields.
func (p *planPage) change(c *engine.Change) {
	price, _ := p.price(c)
	_, st := p.symbol(c.Action)
	p.title(p.sign(c.Action), p.clean(c.Model), st, price)
	for i, sentence := range p.why(c) {
		if i == 0 {
			p.paragraph("  why: ", "       ", sentence)
			continue
		}
		p.paragraph("       ", "       ", sentence)
	}
	for i := range c.Leftovers {
		p.line("    ", leftover(&c.Leftovers[i]))
	}
	switch c.Action {
	case engine.ActionCreate, engine.ActionAdopt:
		p.outline(c)
	case engine.ActionStop, engine.ActionForget:
		if p.o.Full {
			p.fields(c)
		}
	case engine.ActionUpdate, engine.ActionRestart, engine.ActionReplace, engine.ActionNone:
		p.fields(c)
		if c.Unchanged > 0 {
			p.line("    ", p.paint(faint, Count(c.Unchanged, "field")+" unchanged"))
		}
	}
	p.commands(c)
}

func leftover(in *engine.Instance) string {
	text := "stops first what an interrupted apply left: launch " + in.ID
	if in.Pid > 0 {
		text += ", " + pid(in.Pid)
	}
	return text
}

func pid(n int) string { return fmt.Sprintf("pid %d", n) }

// price is what a change costs, for the title, and its verb alone, for the
// ending. What is not known is said.
func (p *planPage) price(c *engine.Change) (price, verb string) {
	switch c.Action {
	case engine.ActionCreate:
		if !c.Served {
			return "register, nothing is started", "register"
		}
		return "start, time not known yet", "start"
	case engine.ActionUpdate:
		return priceOfUpdate(c)
	case engine.ActionRestart:
		return p.priceOfRestart(c, "restart"), "restart"
	case engine.ActionReplace:
		return p.priceOfRestart(c, "replace"), "replace"
	case engine.ActionStop:
		return priceOfStop(c), "stop"
	case engine.ActionForget:
		if c.Running != nil {
			return "forget, it keeps running", "forget"
		}
		return "forget, nothing is stopped", "forget"
	case engine.ActionAdopt:
		return "adopt, it keeps running", "adopt"
	case engine.ActionNone:
	}
	return "unchanged", "none"
}

func priceOfUpdate(c *engine.Change) (price, verb string) {
	for i := range c.Fields {
		if c.Fields[i].Effect == engine.EffectReload {
			return "reload, it keeps running", "reload"
		}
	}
	if !c.Served {
		return "update the record", "update"
	}
	return "update, it keeps running", "update"
}

func (p *planPage) priceOfRestart(c *engine.Change, verb string) string {
	switch {
	case !c.Interrupts && has(c, engine.ReasonProcessGone):
		return "start again (process gone)"
	case !c.Interrupts:
		return verb + ", it does not serve now"
	case c.Downtime == nil:
		return verb + ", time not known yet"
	}
	return verb + ", " + about(*c.Downtime) + " not served"
}

func priceOfStop(c *engine.Change) string {
	switch {
	case c.FreesBytes > 0:
		return "stop, frees " + size(c.FreesBytes)
	case len(c.GPUs) > 0:
		return "stop, memory it frees not known"
	}
	return "stop"
}

func has(c *engine.Change, code engine.ReasonCode) bool {
	for _, r := range c.Reasons {
		if r.Code == code {
			return true
		}
	}
	return false
}

// commands shows, with Full, exactly what will be executed, and what runs now
// where that is something else.
func (p *planPage) commands(c *engine.Change) {
	if !p.o.Full || c.Start == nil || len(c.Start.Argv) == 0 {
		return
	}
	now := p.command(c.Start.Argv)
	if c.Running != nil {
		if was := p.command(c.Running.Launch.Argv); was != now && len(c.Running.Launch.Argv) > 0 {
			p.line("    runs    ", p.paint(faint, was))
		}
	}
	p.line("    command ", now)
}

// place describes where a model will be reached: "vllm on port 24002, GPU 0".
func (p *planPage) place(c *engine.Change) string {
	text := or(p.clean(c.Backend), "no backend")
	if c.Port > 0 {
		text += fmt.Sprintf(" on port %d", c.Port)
	}
	if len(c.GPUs) > 0 {
		text += ", GPU " + p.clean(strings.Join(c.GPUs, ", "))
	}
	if c.NeedsBytes > 0 {
		text += ", about " + size(c.NeedsBytes)
		if len(c.GPUs) > 1 {
			text += " on each"
		}
	}
	return text
}
