package view

import "github.com/fatih/color"

// style is what a piece of text is, not how it looks.
type style int

const (
	plain  style = iota
	strong       // names, verdicts
	faint        // origins, losers, context
	good         // create, added, fits
	change       // update
	bold         // restart: a change that costs
	swap         // replace
	bad          // stop, removed, drift, errors
	gone         // forget
	note         // adopt, hunk headers
	warn         // warnings
)

// paint colors text where the screen shows color. The decision is the
// screen's: the global switch of the color package is never consulted.
func (s *Screen) paint(st style, text string) string {
	if !s.Color || st == plain || text == "" {
		return text
	}
	ink := color.New(inks(st)...)
	ink.EnableColor()
	return ink.Sprint(text)
}

func inks(st style) []color.Attribute {
	switch st {
	case strong:
		return []color.Attribute{color.Bold}
	case faint:
		return []color.Attribute{color.Faint}
	case good:
		return []color.Attribute{color.FgGreen}
	case change, warn:
		return []color.Attribute{color.FgYellow}
	case bold:
		return []color.Attribute{color.FgYellow, color.Bold}
	case swap:
		return []color.Attribute{color.FgMagenta}
	case bad:
		return []color.Attribute{color.FgRed}
	case gone:
		return []color.Attribute{color.FgHiBlack}
	case note:
		return []color.Attribute{color.FgCyan}
	case plain:
	}
	return nil
}
