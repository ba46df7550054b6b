package view

import (
	"bytes"
	"fmt"
	"strings"
)

// page collects a whole text and writes it at once, so that two streams are
// not mixed line by line and a failed write is one error.
type page struct {
	*Screen
	b bytes.Buffer
}

func (s *Screen) page() *page { return &page{Screen: s} }

// line writes one line without trailing spaces.
func (p *page) line(parts ...string) {
	p.b.WriteString(strings.TrimRight(strings.Join(parts, ""), " "))
	p.b.WriteByte('\n')
}

func (p *page) linef(format string, a ...any) { p.line(fmt.Sprintf(format, a...)) }

// gap writes an empty line.
func (p *page) gap() { p.b.WriteByte('\n') }

// paragraph writes running text, its first line behind first, the others behind
// rest. On a terminal it is wrapped.
func (p *page) paragraph(first, rest, text string) {
	for i, l := range wrap(text, p.prose(cells(rest))) {
		if i == 0 {
			p.line(first, l)
			continue
		}
		p.line(rest, l)
	}
}

// next writes what comes next, if anything does. Where that is wider than the
// terminal, a remark in parentheses after three spaces and what is to be done
// "then" get lines of their own: commands stay whole, so that they can be copied.
func (p *page) next(text string) {
	if text == "" {
		return
	}
	text = "Next: " + p.clean(text)
	command, remark, remarked := strings.Cut(text, "   (")
	repair, then, several := strings.Cut(text, ", then ")
	switch n := p.prose(0); {
	case n == 0 || cells(text) <= n:
		p.line(text)
	case remarked:
		p.line(command)
		p.line("  (", remark)
	case several:
		p.paragraph("", "  ", repair+",")
		p.line("  then ", then)
	default:
		p.line(text)
	}
}

// title writes left and, at the right edge, right. When both do not fit, two
// spaces part them and the line is as long as it must be.
func (p *page) title(sign, name string, st style, right string) {
	room := p.columns() - 2 - cells(name) - cells(right)
	p.line(sign, " ", p.paint(strong, name), strings.Repeat(" ", max(2, room)), p.paint(st, right))
}

func (p *page) flush() error {
	_, err := p.W.Write(p.b.Bytes())
	return err
}
