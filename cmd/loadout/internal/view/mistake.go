package view

import (
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Diagnostics writes mistakes for people: what is wrong, the line, what to do.
// All of them, in the order given, and their number when it is more than one.
// files may be nil; then the lines are not shown.
func Diagnostics(s *Screen, diags hcl.Diagnostics, files map[string]*hcl.File) error {
	if len(diags) == 0 {
		return nil
	}
	p := s.page()
	errors, warnings := 0, 0
	for i, d := range describe(diags, files) {
		if i > 0 {
			p.gap()
		}
		p.diagnostic(&d, diags[i].Subject)
		if d.Severity == "warning" {
			warnings++
		} else {
			errors++
		}
	}
	if len(diags) > 1 {
		p.gap()
		p.line(tally(errors, warnings), ".")
	}
	return p.flush()
}

func tally(errors, warnings int) string {
	var parts []string
	if errors > 0 {
		parts = append(parts, Count(errors, "error"))
	}
	if warnings > 0 {
		parts = append(parts, Count(warnings, "warning"))
	}
	return strings.Join(parts, ", ")
}

func (p *page) diagnostic(d *Diagnostic, subject *hcl.Range) {
	if d.Severity == "warning" {
		p.line(p.paint(warn, "Warning:"), " ", p.paint(strong, p.clean(d.Summary)))
	} else {
		p.line(p.paint(bad, "Error:"), " ", p.paint(strong, p.clean(d.Summary)))
	}
	if d.Range != nil && d.Range.Filename != "" {
		p.gap()
		p.where(d, subject)
	}
	if d.Detail != "" {
		p.gap()
		p.detail("  ", d.Detail)
	}
}

// where is "on FILE line N, in BLOCK:" and the lines themselves.
func (p *page) where(d *Diagnostic, subject *hcl.Range) {
	head := "  on " + p.clean(d.Range.Filename)
	if d.Range.Start.Line > 0 {
		head += " line " + strconv.Itoa(d.Range.Start.Line)
	}
	head += after(", in ", p.clean(d.Context))
	if d.Snippet == "" {
		p.line(head)
		return
	}
	p.line(head, ":")
	shown := strings.Split(d.Snippet, "\n")
	digits := max(2, len(strconv.Itoa(d.Range.Start.Line+len(shown)-1)))
	for i, l := range shown {
		number := padLeft(strconv.Itoa(d.Range.Start.Line+i), digits)
		p.line("  ", p.paint(faint, number+":"), " ", p.marked(l, d.Range.Start.Line+i, subject))
	}
	if more := d.Range.End.Line - d.Range.Start.Line + 1 - len(shown); more > 0 && d.Range.End.Column > 1 {
		p.line("  ", strings.Repeat(" ", digits+2), p.paint(faint, p.glyphs().ellipsis+" "+Count(more, "more line")))
	}
}

// marked emphasizes the part of a source line that the range covers.
func (p *page) marked(l string, n int, r *hcl.Range) string {
	runes := []rune(l)
	from, to := 0, len(runes)
	if n == r.Start.Line {
		from = min(max(r.Start.Column-1, 0), to)
	}
	if n == r.End.Line {
		to = min(max(r.End.Column-1, from), to)
	}
	part := func(a, b int) string {
		return p.clean(strings.ReplaceAll(string(runes[a:b]), "\t", "    "))
	}
	return part(0, from) + p.paint(strong, part(from, to)) + part(to, len(runes))
}

// detail writes running text. Its own line breaks stay; indented lines are
// meant to be copied and are not wrapped.
func (p *page) detail(indent, textOf string) {
	for _, l := range lines(textOf) {
		if strings.HasPrefix(l, " ") || strings.HasPrefix(l, "\t") {
			p.line(indent, p.clean(strings.ReplaceAll(l, "\t", "    ")))
			continue
		}
		p.paragraph(indent, indent, p.clean(l))
	}
}
