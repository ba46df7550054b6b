package view

import (
	"strconv"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// diffMost is how many lines of a structured diff are shown without Full.
const diffMost = 30

// Columns of a field line: as wide as needed, within these.
const (
	pathFewest, pathMost   = 16, 34
	valueFewest, valueMost = 11, 30
)

// fieldLine is a field change, rendered before the columns are known.
type fieldLine struct {
	path, value, from string
	follow            [][2]string // further values and where they are from, dimmed
	block             []diffLine
}

// fields writes "path  old → new  origin" for each field that changed.
func (p *planPage) fields(c *engine.Change) {
	rows := make([]fieldLine, len(c.Fields))
	pathWidth, valueWidth := pathFewest, valueFewest
	for i := range c.Fields {
		rows[i] = p.fieldLine(&c.Fields[i])
		pathWidth = within(pathWidth, cells(rows[i].path), pathMost)
		valueWidth = within(valueWidth, cells(rows[i].value), valueMost)
		for _, f := range rows[i].follow {
			if f[1] != "" {
				valueWidth = within(valueWidth, cells(f[0]), valueMost)
			}
		}
	}
	for _, r := range rows {
		p.line("    ", pad(r.path, pathWidth), "  ", pad(r.value, valueWidth), "   ", p.paint(faint, r.from))
		for _, f := range r.follow {
			p.line("    ", pad("", pathWidth), "  ", p.paint(faint, strings.TrimRight(pad(f[0], valueWidth)+"   "+f[1], " ")))
		}
		most := diffMost
		if p.o.Full {
			most = 0
		}
		p.paintDiff("      ", r.block, most)
	}
}

// within widens a column, unless for something so wide that the others would
// have to go too far for it.
func within(width, cells, most int) int {
	if cells > most {
		return width
	}
	return max(width, cells)
}

func (p *planPage) fieldLine(f *engine.FieldChange) fieldLine {
	r := fieldLine{path: p.clean(f.Path), from: p.from(f.Origin)}
	r.value, r.block = p.difference(f.Path, f.Before, f.After)
	if r.value == "" {
		r.value = "changed"
		switch {
		case f.Before == nil:
			r.value = "added"
		case f.After == nil:
			r.value = "removed"
		}
	}
	dropped := f.After == nil && f.Origin == (engine.Origin{})
	for _, o := range f.Overrides {
		if dropped { // nobody says anything any more: where it stood
			r.from = "was " + p.from(o.Origin)
			continue
		}
		r.follow = append(r.follow, [2]string{"over " + p.brief(o.Value, valueMost-len("over ")), p.from(o.Origin)})
	}
	switch f.MovedBy {
	case engine.MovedByWorld:
		r.follow = append(r.follow, [2]string{"changed outside Loadout"})
	case engine.MovedByBoth:
		r.follow = append(r.follow, [2]string{"changed in the files and outside Loadout"})
	case engine.MovedByConfig:
	}
	return r
}

// from says where a value is from: the place that one can open, and the block
// where the place alone would not say which layer it is.
func (s *Screen) from(o engine.Origin) string {
	place := s.clean(o.Place())
	switch o.Layer {
	case engine.LayerBackend, engine.LayerProfile:
		if o.Block == "" {
			return place
		}
		return string(o.Layer) + " " + s.clean(strconv.Quote(o.Block)) + after(", ", s.clean(fileOf(o)))
	case engine.LayerDiscovered:
		return "discovered" + after(", ", s.clean(o.Block))
	case engine.LayerDefault:
		return "default"
	case engine.LayerModel, engine.LayerServe:
	}
	return place
}

func fileOf(o engine.Origin) string {
	if o.File == "" {
		return ""
	}
	return o.Place()
}
