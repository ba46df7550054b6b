package view

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// clean makes text from outside safe to print on one line: what is not
// printable (escapes, line breaks, bidirectional controls) and, on an ASCII
// screen, what is not ASCII is written as a Go escape.
func (s *Screen) clean(text string) string {
	safe := func(r rune) bool { return unicode.IsPrint(r) && (!s.ASCII || r < 0x80) && r != unicode.ReplacementChar }
	if strings.IndexFunc(text, func(r rune) bool { return !safe(r) }) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if safe(r) {
			b.WriteRune(r)
			continue
		}
		q := strconv.QuoteRuneToASCII(r)
		b.WriteString(q[1 : len(q)-1])
	}
	return b.String()
}

// cells is the number of terminal columns that text takes.
func cells(text string) int {
	n := 0
	for _, r := range text {
		n += runeCells(r)
	}
	return n
}

func runeCells(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// pad fills text with spaces up to n columns.
func pad(text string, n int) string {
	return text + strings.Repeat(" ", max(0, n-cells(text)))
}

// padLeft fills text with spaces before it.
func padLeft(text string, n int) string {
	return strings.Repeat(" ", max(0, n-cells(text))) + text
}

// shorten cuts text to n columns and marks the cut.
func (s *Screen) shorten(text string, n int) string {
	if cells(text) <= n {
		return text
	}
	mark := s.glyphs().ellipsis
	room, used := max(0, n-cells(mark)), 0
	for i, r := range text {
		if used += runeCells(r); used > room {
			return text[:i] + mark
		}
	}
	return text
}

// wrap breaks prose at spaces so that no line is wider than n columns; n of 0
// leaves it alone. A word that is wider stands on a line of its own, whole, so
// that it can be copied.
func wrap(text string, n int) []string {
	if n <= 0 || cells(text) <= n {
		return []string{text}
	}
	var lines []string
	line := ""
	for _, word := range unbroken(strings.Fields(text)) {
		switch {
		case line == "":
			line = word
		case cells(line)+1+cells(word) <= n:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

// unbroken keeps a number and its unit together: "92 s", "1.8 GiB".
func unbroken(words []string) []string {
	var out []string
	for i, word := range words {
		if i > 0 && isUnit(strings.TrimRight(word, ".,;:)")) && strings.Trim(words[i-1], "(0123456789.") == "" {
			out[len(out)-1] += " " + word
			continue
		}
		out = append(out, word)
	}
	return out
}

func isUnit(word string) bool {
	switch word {
	case "s", "min", "h", "B", "KiB", "MiB", "GiB", "%":
		return true
	}
	return false
}

// prose is the width that running text is wrapped to under indent columns. A
// log is not wrapped: broken lines cannot be searched or pasted.
func (s *Screen) prose(indent int) int {
	if !s.TTY {
		return 0
	}
	return max(s.columns()-indent, minWidth/2)
}

// Count is "1 model", "2 models".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// few are the words, or the first four and how many more there are.
func few(words []string) []string {
	const most = 4
	if len(words) <= most+1 {
		return words
	}
	return append(append([]string{}, words[:most]...), fmt.Sprintf("%d more", len(words)-most))
}

// enumerate joins words: "a", "a and b", "a, b and c", "a, b, c, d and 4 more".
func enumerate(words []string) string {
	words = few(words)
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// size writes bytes with a binary unit: "13.9 GiB", "512 MiB".
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.0f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}

// seconds writes a duration the way people wait for it: "under 1 s", "95 s",
// "12 min", "2.5 h".
// about is an estimate: "about 95 s", or "under 1 s", which is vague enough.
func about(sec float64) string {
	if sec < 1 {
		return seconds(sec)
	}
	return "about " + seconds(sec)
}

func seconds(sec float64) string {
	switch {
	case sec < 1:
		return "under 1 s"
	case sec < 180:
		return fmt.Sprintf("%.0f s", sec)
	case sec < 2*3600:
		return fmt.Sprintf("%.0f min", sec/60)
	}
	return fmt.Sprintf("%.1f h", sec/3600)
}

// capital begins a sentence; s is not empty and begins with an ASCII letter.
func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
