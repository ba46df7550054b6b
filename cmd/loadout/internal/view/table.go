package view

import "strings"

// cell of a table. Its text is clean already.
type cell struct {
	text  string
	style style
	right bool // align to the right
}

func text(s string) cell         { return cell{text: s} }
func dim(s string) cell          { return cell{text: s, style: faint} }
func number(s string) cell       { return cell{text: s, right: true} }
func as(st style, s string) cell { return cell{text: s, style: st} }

// table writes rows in columns that are as wide as their widest cell, gap
// columns apart, behind indent. The last cell of a row is never padded.
func (p *page) table(indent string, gap int, rows [][]cell) {
	var widths []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], cells(c.text))
		}
	}
	between := strings.Repeat(" ", gap)
	for _, row := range rows {
		var b strings.Builder
		b.WriteString(indent)
		for i, c := range row {
			if i > 0 {
				b.WriteString(between)
			}
			b.WriteString(p.cell(c, widths[i], i == len(row)-1))
		}
		p.line(b.String())
	}
}

func (p *page) cell(c cell, width int, last bool) string {
	space := strings.Repeat(" ", max(0, width-cells(c.text)))
	painted := p.paint(c.style, c.text)
	switch {
	case c.right:
		return space + painted
	case last:
		return painted
	}
	return painted + space
}
