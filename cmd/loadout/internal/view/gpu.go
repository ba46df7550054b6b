package view

import (
	"fmt"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

const gaugeCells = 24

// gpus draws the memory of each GPU before and after the plan. Without changes
// there is nothing to decide and nothing is drawn.
func (p *planPage) gpus() {
	if p.plan.Empty() && !p.o.Full {
		return
	}
	if len(p.plan.GPUs) == 0 {
		if p.startsSomething() {
			p.gap()
			p.line("GPU memory  unknown: no GPU here and none declared")
		}
		return
	}
	for i := range p.plan.GPUs {
		p.gap()
		p.gpu(&p.plan.GPUs[i])
	}
}

func (p *planPage) startsSomething() bool {
	s := p.plan.Summary
	return s.Create+s.Restart+s.Replace > 0
}

func (p *planPage) gpu(g *engine.GPUBudget) {
	label := "GPU " + p.clean(g.ID)
	facts := []string{}
	if g.Name != "" {
		facts = append(facts, p.clean(g.Name))
	}
	switch {
	case g.Memory <= 0:
		facts = append(facts, "size not known")
	case g.Detected:
		facts = append(facts, size(g.Memory))
	default:
		facts = append(facts, size(g.Memory)+" declared")
	}
	verdict, st := fits(g)
	left := label + "  " + strings.Join(facts, ", ")
	p.line(p.paint(strong, label), left[len(label):], strings.Repeat(" ", max(2, p.columns()-cells(left)-cells(verdict))), p.paint(st, verdict))
	indent := strings.Repeat(" ", cells(label)+2)
	p.line(indent, "now    ", p.memoryNow(g))
	p.line(indent, "after  ", p.memoryAfter(g))
}

func (p *planPage) memoryNow(g *engine.GPUBudget) string {
	if !g.Detected || g.Used < 0 {
		return "unknown: no GPU here"
	}
	return p.meter(g.Used, g.Memory)
}

func (p *planPage) memoryAfter(g *engine.GPUBudget) string {
	if g.After < 0 {
		return "unknown: the memory of a model on it is not known"
	}
	text := p.meter(g.After, g.Memory)
	if g.Memory > 0 {
		text += " of " + size(g.Memory-g.Reserve)
	}
	if g.Reserve > 0 {
		text += ", reserve " + size(g.Reserve)
	}
	return text
}

func (s *Screen) meter(used, whole int64) string {
	if whole <= 0 {
		return size(used)
	}
	return s.gauge(used, whole, gaugeCells) + "  " + size(used)
}

// fits compares what the plan needs with the memory less the reserve.
func fits(g *engine.GPUBudget) (string, style) {
	limit := g.Memory - g.Reserve
	switch {
	case g.After < 0 || g.Memory <= 0:
		return "not known whether it fits", warn
	case g.After > limit:
		return fmt.Sprintf("over by %s", size(g.After-limit)), bad
	}
	return "fits", good
}
