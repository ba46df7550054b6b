package view

import (
	"fmt"
	"strings"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/providers/artifact"
)

// Discovered writes what a scan found, how that differs from the document
// before it, what could not be read, and the file that it was written to.
func Discovered(s *Screen, file string, artifacts []engine.Artifact, sum artifact.Summary, findings []artifact.Finding) error {
	p := s.page()
	marks := map[string]string{}
	for _, id := range sum.New {
		marks[id] = "new"
	}
	for _, id := range sum.Changed {
		marks[id] = "changed"
	}
	rows := make([][]cell, len(artifacts))
	for i := range artifacts {
		rows[i] = p.artifactRow(&artifacts[i], marks)
	}
	p.artifacts(rows)
	for _, id := range sum.Gone {
		p.line(p.paint(bad, "-"), "  ", p.clean(id), "  gone")
	}
	for i := range artifacts {
		for _, problem := range artifacts[i].Problems {
			p.remark(artifacts[i].Source, problem)
		}
	}
	for _, f := range findings {
		p.remark(f.Path, f.Problem)
	}
	if len(rows)+len(sum.Gone)+len(findings) > 0 {
		p.gap()
	}
	p.paragraph("", "  ", fmt.Sprintf("%s in %s: %d new, %d changed, %d gone, %d incomplete.", Count(len(artifacts), "artifact"), p.clean(file),
		len(sum.New), len(sum.Changed), len(sum.Gone), len(sum.Incomplete)))
	return p.flush()
}

// artifacts writes one line per artifact, or two on a terminal that is too
// narrow for one: the source is first and whole, because model blocks name it.
func (p *page) artifacts(rows [][]cell) {
	const gap = 2
	wide := 0
	for _, w := range widths(rows) {
		wide += w + gap
	}
	if !p.TTY || wide-gap <= p.columns() {
		p.table("", gap, rows)
		return
	}
	for _, row := range rows {
		p.line(p.cell(row[0], 1), "  ", row[1].text)
		var facts []string
		for _, c := range row[2:] {
			if c.text != "" {
				facts = append(facts, p.cell(c, 0))
			}
		}
		p.line(below, strings.Join(facts, "  "))
	}
}

// remark is what is wrong with something that a scan met.
func (p *page) remark(about, problem string) {
	p.table("", 2, [][]cell{{as(warn, "!"), text(p.clean(about)), text(p.clean(problem))}})
}

func (p *page) artifactRow(a *engine.Artifact, marks map[string]string) []cell {
	mark := or(marks[a.Source], marks[a.Source+"@"+a.Revision])
	sign := text(" ")
	switch mark {
	case "new":
		sign = as(good, "+")
	case "changed":
		sign = as(change, "~")
	}
	bytes := "size not known"
	if a.WeightBytes > 0 {
		bytes = size(a.WeightBytes)
	}
	whole := ""
	if !a.Complete {
		whole = "incomplete"
	}
	none := p.glyphs().none
	return []cell{
		sign, text(p.clean(a.Source)), number(bytes), text(or(p.clean(a.Format), none)), text(or(p.clean(a.Quantization), none)),
		text(or(p.clean(a.Architecture), none)), as(warn, whole),
	}
}
