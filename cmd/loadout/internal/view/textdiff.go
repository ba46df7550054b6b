package view

import (
	"fmt"
	"strings"

	"github.com/sergi/go-diff/diffmatchpatch"
)

// contextLines stand around each difference of a text.
const contextLines = 2

// effortMost bounds a diff: the lines between the common beginning and the
// common end, on both sides together. Beyond it (about a tenth of a second of
// work) the rest counts as replaced. A bound by size, unlike one by time, gives
// the same output on every machine.
const effortMost = 4000

// sequence compares two lists of lines or elements in order.
func sequence(before, after []string) []diffLine {
	head := 0
	for head < min(len(before), len(after)) && before[head] == after[head] {
		head++
	}
	tail := 0
	for tail < min(len(before), len(after))-head && before[len(before)-1-tail] == after[len(after)-1-tail] {
		tail++
	}
	out := marked(nil, ' ', before[:head])
	b, a := before[head:len(before)-tail], after[head:len(after)-tail]
	if len(b)+len(a) > effortMost {
		out = marked(marked(out, '-', b), '+', a)
	} else {
		out = append(out, shortest(b, a)...)
	}
	return marked(out, ' ', before[len(before)-tail:])
}

func marked(out []diffLine, mark byte, texts []string) []diffLine {
	for _, t := range texts {
		out = append(out, diffLine{mark, t})
	}
	return out
}

// shortest lets go-diff find the smallest difference: each distinct text is one
// rune, so that it compares whole lines and never characters.
func shortest(before, after []string) []diffLine {
	runes, texts := map[string]rune{}, map[rune]string{}
	encode := func(list []string) []rune {
		out := make([]rune, len(list))
		for i, t := range list {
			r, ok := runes[t]
			if !ok {
				r = 0xE000 + rune(len(runes)) // above the surrogates, which no string can hold
				runes[t], texts[r] = r, t
			}
			out[i] = r
		}
		return out
	}
	dmp := diffmatchpatch.New()
	dmp.DiffTimeout = 0 // bounded by effortMost
	var out []diffLine
	for _, d := range dmp.DiffMainRunes(encode(before), encode(after), false) {
		mark := map[diffmatchpatch.Operation]byte{diffmatchpatch.DiffDelete: '-', diffmatchpatch.DiffInsert: '+', diffmatchpatch.DiffEqual: ' '}[d.Type]
		for _, r := range d.Text {
			out = append(out, diffLine{mark, texts[r]})
		}
	}
	return out
}

// textDiff compares texts line by line, in hunks as diff -u prints them.
func (s *Screen) textDiff(before, after string) []diffLine {
	var was, is []string
	if before != "" {
		was = lines(before)
	}
	if after != "" {
		is = lines(after)
	}
	out := hunks(sequence(was, is))
	if len(out) == 0 {
		return []diffLine{{' ', "only the line break at the end differs"}}
	}
	for i := range out {
		out[i].text = visibleEnd(s.clean(out[i].text), out[i].mark)
	}
	return out
}

// visibleEnd writes spaces at the end of a changed line as escapes: they may be
// all that changed.
func visibleEnd(text string, mark byte) string {
	if mark == ' ' {
		return text
	}
	bare := strings.TrimRight(text, " ")
	return bare + strings.Repeat(`\x20`, len(text)-len(bare))
}

// hunks keeps what differs with its context, each group under a heading.
func hunks(all []diffLine) []diffLine {
	var out []diffLine
	oldLine, newLine := 1, 1 // of all[i]
	for i := 0; i < len(all); {
		next := i
		for next < len(all) && all[next].mark == ' ' {
			next++
		}
		if next == len(all) {
			break
		}
		start := max(i, next-contextLines)
		oldLine, newLine = oldLine+start-i, newLine+start-i
		end := hunkEnd(all, next)
		olds, news := extent(all[start:end])
		out = append(out, diffLine{'@', fmt.Sprintf("@@ -%s +%s @@", span(oldLine, olds), span(newLine, news))})
		out = append(out, all[start:end]...)
		oldLine, newLine, i = oldLine+olds, newLine+news, end
	}
	return out
}

// hunkEnd is where the hunk that begins with the difference at i ends: after
// the context that follows the last difference near enough to belong to it.
func hunkEnd(all []diffLine, i int) int {
	last := i
	for j := i; j < len(all) && j-last <= 2*contextLines; j++ {
		if all[j].mark != ' ' {
			last = j
		}
	}
	return min(len(all), last+1+contextLines)
}

func extent(part []diffLine) (olds, news int) {
	for _, l := range part {
		if l.mark != '+' {
			olds++
		}
		if l.mark != '-' {
			news++
		}
	}
	return olds, news
}

// span is a range of lines in the notation of diff -u.
func span(start, n int) string {
	if n == 0 {
		start--
	}
	return fmt.Sprintf("%d,%d", start, n)
}

// paintDiff writes lines behind indent; more than most of them are counted, 0
// shows all.
func (p *page) paintDiff(indent string, block []diffLine, most int) {
	left := 0
	if most > 0 && len(block) > most+1 {
		block, left = block[:most], len(block)-most
	}
	for _, l := range block {
		switch l.mark {
		case '+':
			p.line(indent, p.paint(good, "+ "+l.text))
		case '-':
			p.line(indent, p.paint(bad, "- "+l.text))
		case '@':
			p.line(indent, p.paint(note, l.text))
		default:
			p.line(indent, "  ", l.text)
		}
	}
	if left > 0 {
		p.line(indent, p.paint(faint, strings.TrimSpace(p.glyphs().ellipsis+" "+Count(left, "more line")+" (--full shows all)")))
	}
}
