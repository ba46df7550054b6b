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
// columns apart, behind indent. The last cell of a row is never padded; on a
// terminal it is broken into lines where it would reach beyond the edge.
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
		column, last := cells(indent), len(row)-1
		for i, c := range row[:last] {
			b.WriteString(p.cell(c, widths[i]) + between)
			column += widths[i] + gap
		}
		p.lastCell(b.String(), column, row[last], widths[last])
	}
}

// narrowest is how many columns broken text needs to be worth the breaking.
const narrowest = 24

// lastCell ends a row whose other cells take column columns.
func (p *page) lastCell(before string, column int, c cell, width int) {
	room := 0
	if p.TTY && p.columns()-column >= narrowest {
		room = p.columns() - column
	}
	if c.right {
		p.line(before, p.cell(c, width))
		return
	}
	for _, l := range wrap(c.text, room) {
		p.line(before, p.paint(c.style, l))
		before = strings.Repeat(" ", column)
	}
}

func (p *page) cell(c cell, width int) string {
	space := strings.Repeat(" ", max(0, width-cells(c.text)))
	if c.right {
		return space + p.paint(c.style, c.text)
	}
	return p.paint(c.style, c.text) + space
}
