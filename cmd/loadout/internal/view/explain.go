package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

// explainMost is how wide a value may be beside others. A field that is
// explained alone is shown whole.
const explainMost = 18

// Explain writes desired, recorded and running value of each field side by
// side, with its origin and what it overrode. "=" repeats the desired value,
// a dash is "not there"; JSON has every value in full.
func Explain(s *Screen, x engine.Explanation) error {
	p := s.page()
	rows := [][]cell{p.explainHead(&x)}
	differs := 0
	for i := range x.Fields {
		f := &x.Fields[i]
		rows = append(rows, p.explainRow(f, x.Live))
		for _, o := range f.Overrides {
			rows = append(rows, p.overrideRow(o, x.Live))
		}
		if f.Seen && !engine.EqualValues(f.Running, f.Value) {
			differs++
		}
	}
	p.explained(rows)
	if len(x.Fields) == 1 {
		p.whole(&x.Fields[0])
	}
	if x.Live {
		p.gap()
		p.paragraph("", "", p.explainLive(&x, differs))
	}
	return p.flush()
}

// explained writes the table. Where a terminal has no room for the origins they
// stand below their rows and need no head.
func (p *page) explained(rows [][]cell) {
	const gap = 2
	beside, last := 0, len(rows[0])-1
	for _, w := range widths(rows)[:last] {
		beside += w + gap
	}
	if p.TTY && beside+cells(rows[0][last].text) > p.columns() {
		rows[0] = rows[0][:last]
	}
	p.table("", gap, rows)
}

func (p *page) explainHead(x *engine.Explanation) []cell {
	row := []cell{as(strong, p.clean(x.Model)), right(faint, "desired"), right(faint, "snapshot")}
	if x.Live {
		row = append(row, right(faint, "running"))
	}
	return append(row, as(faint, "from"))
}

func (p *page) origin(o engine.Origin) cell {
	return cell{text: p.from(o), style: faint, whole: true}
}

func right(st style, s string) cell { return cell{text: s, style: st, right: true} }

func (p *page) explainRow(f *engine.ExplainedField, live bool) []cell {
	value := p.brief(f.Value, explainMost)
	switch {
	case f.Value == nil && f.Origin == (engine.Origin{}): // nobody declares it any more
		value = p.glyphs().none
	case f.Value == nil:
		value = "null"
	}
	row := []cell{text("  " + p.clean(f.Path)), number(value), p.beside(f, f.Snapshot, f.Recorded, plain)}
	if live {
		row = append(row, p.beside(f, f.Running, f.Seen, bad))
	}
	if f.Origin == (engine.Origin{}) {
		return row
	}
	return append(row, p.origin(f.Origin))
}

// beside is a value next to the desired one; st marks one that differs.
func (p *page) beside(f *engine.ExplainedField, v engine.Value, known bool, st style) cell {
	switch {
	case !known:
		return right(faint, p.glyphs().none)
	case engine.EqualValues(v, f.Value):
		return right(faint, "=")
	}
	return right(st, p.brief(v, explainMost))
}

func (p *page) overrideRow(o engine.Override, live bool) []cell {
	row := []cell{text(""), right(faint, "over "+p.brief(o.Value, explainMost)), text("")}
	if live {
		row = append(row, text(""))
	}
	return append(row, p.origin(o.Origin))
}

// whole shows a value that the table had to cut.
func (p *page) whole(f *engine.ExplainedField) {
	t, isText := f.Value.(string)
	switch {
	case isText && strings.Contains(t, "\n"):
		p.gap()
		for _, l := range lines(t) {
			p.line("  ", p.clean(l))
		}
	case p.brief(f.Value, explainMost) != p.formatted(f.Value):
		p.gap()
		p.line("  ", p.formatted(f.Value))
	}
}

func (p *page) explainLive(x *engine.Explanation, differs int) string {
	seen := 0
	for i := range x.Fields {
		if x.Fields[i].Seen {
			seen++
		}
	}
	if seen == 0 {
		return "What runs is not known" + after(": ", p.clean(x.Note)) + "."
	}
	who := "The running instance"
	if x.Pid > 0 {
		who = "The running process (" + pid(x.Pid)
		if x.Since != nil {
			who += ", since " + p.in(*x.Since).Format("2006-01-02 15:04")
		}
		who += ")"
	}
	if differs == 0 {
		return fmt.Sprintf("%s does not differ in the %s that it tells.", who, Count(seen, "field"))
	}
	return fmt.Sprintf("%s differs in %d of the %s that it tells.", who, differs, Count(seen, "field"))
}

// explainDocument is the JSON of explain.
type explainDocument struct {
	FormatVersion string                  `json:"format_version"`
	Model         string                  `json:"model"`
	Live          bool                    `json:"live"`
	Pid           int                     `json:"pid,omitempty"`
	Since         *time.Time              `json:"since,omitempty"`
	Note          string                  `json:"note,omitempty"`
	Fields        []engine.ExplainedField `json:"fields"`
}

// ExplainJSON writes {format_version, model, live, pid, since, note, fields}.
func ExplainJSON(w io.Writer, x engine.Explanation) error {
	doc := explainDocument{FormatVersion, x.Model, x.Live, x.Pid, x.Since, x.Note, make([]engine.ExplainedField, len(x.Fields))}
	for i, f := range x.Fields {
		f.Overrides = list(f.Overrides)
		doc.Fields[i] = f
	}
	return JSON(w, doc)
}
