package view

import "strings"

// cell of a table. Its text is clean already.
type cell struct {
	text  string
	style style
	right bool // align to the right
	whole bool // as a last cell: rather below the row than broken
}

func text(s string) cell         { return cell{text: s} }
func dim(s string) cell          { return cell{text: s, style: faint} }
func number(s string) cell       { return cell{text: s, right: true} }
func as(st style, s string) cell { return cell{text: s, style: st} }

// table writes rows in columns that are as wide as their widest cell, gap
// columns apart, behind indent. The last cell of a row is never padded; on a
// terminal it is broken into lines where it would reach beyond the edge, or put
// below the row where no room is left for it.
func (p *page) table(indent string, gap int, rows [][]cell) {
	widths := widths(rows)
	between := strings.Repeat(" ", gap)
	for _, row := range rows {
		var b strings.Builder
		b.WriteString(indent)
		column, last := cells(indent), len(row)-1
		for i, c := range row[:last] {
			b.WriteString(p.cell(c, widths[i]) + between)
			column += widths[i] + gap
		}
		p.lastCell(b.String(), indent, column, row[last], widths[last])
	}
}

// widths are the columns that the cells of a table need.
func widths(rows [][]cell) []int {
	var out []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(out) {
				out = append(out, 0)
			}
			out[i] = max(out[i], cells(c.text))
		}
	}
	return out
}

// narrowest is how many columns broken text needs to be worth the breaking.
const narrowest = 24

// lastCell ends a row whose other cells take column columns.
func (p *page) lastCell(before, indent string, column int, c cell, width int) {
	if c.right {
		p.line(before, p.cell(c, width))
		return
	}
	shown := []string{c.text}
	if room := p.columns() - column; p.TTY && cells(c.text) > room {
		shown = wrap(c.text, max(room, 1))
		if (c.whole || room < narrowest || widest(shown) > room) && strings.TrimSpace(before) != "" {
			p.line(before)
			before = indent + below
			column = cells(before)
			shown = wrap(c.text, p.prose(column))
		}
	}
	for _, l := range shown {
		p.line(before, p.paint(c.style, l))
		before = strings.Repeat(" ", column)
	}
}

// below is the further indent of a cell that stands under its row.
const below = "      "

func widest(lines []string) int {
	n := 0
	for _, l := range lines {
		n = max(n, cells(l))
	}
	return n
}

func (p *page) cell(c cell, width int) string {
	space := strings.Repeat(" ", max(0, width-cells(c.text)))
	if c.right {
		return space + p.paint(c.style, c.text)
	}
	return p.paint(c.style, c.text) + space
}
