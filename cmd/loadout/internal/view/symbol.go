package view

import (
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// glyphs are the characters beyond letters that the texts are drawn with.
type glyphs struct {
	restart, replace          string
	arrow, dot, ellipsis, bar string
	none, full, empty         string
}

func (s *Screen) glyphs() glyphs {
	if s.ASCII {
		return glyphs{restart: "R", replace: "X", arrow: "->", dot: "-", ellipsis: "...", bar: "|", none: "-", full: "#", empty: "."}
	}
	return glyphs{restart: "↻", replace: "±", arrow: "→", dot: "·", ellipsis: "…", bar: "│", none: "–", full: "█", empty: "░"}
}

// symbol is the sign of an action and its style. The sign alone carries the
// meaning.
func (s *Screen) symbol(a engine.Action) (string, style) {
	g := s.glyphs()
	switch a {
	case engine.ActionCreate:
		return "+", good
	case engine.ActionUpdate:
		return "~", change
	case engine.ActionRestart:
		return g.restart, bold
	case engine.ActionReplace:
		return g.replace, swap
	case engine.ActionStop:
		return "-", bad
	case engine.ActionForget:
		return ".", gone
	case engine.ActionAdopt:
		return ">", note
	case engine.ActionNone:
	}
	return " ", plain
}

// sign is the painted symbol of an action.
func (s *Screen) sign(a engine.Action) string {
	sym, st := s.symbol(a)
	return s.paint(st, sym)
}

// gauge draws part of whole in width cells. Something is never drawn as
// nothing, and not quite full never as full.
func (s *Screen) gauge(part, whole int64, width int) string {
	g := s.glyphs()
	n := 0
	if whole > 0 {
		n = int(float64(part) / float64(whole) * float64(width))
		n = min(max(n, 0), width)
		if part > 0 {
			n = max(n, 1)
		}
	}
	return strings.Repeat(g.full, n) + strings.Repeat(g.empty, width-n)
}
