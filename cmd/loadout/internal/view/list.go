package view

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// List writes one line per model, in the order given.
func List(s *Screen, rows []engine.Row) error {
	p := s.page()
	if len(rows) == 0 {
		p.line("No models.")
		return p.flush()
	}
	none := func(t string) string { return or(t, p.glyphs().none) }
	out := [][]cell{{dim("NAME"), dim("BACKEND"), dim("STATE"), dim("PORT"), dim("GPU"), right(faint, "MEMORY"), dim("ROLES")}}
	for i := range rows {
		r := &rows[i]
		port, memory := "", ""
		if r.Port > 0 {
			port = strconv.Itoa(r.Port)
		}
		if r.MemoryBytes > 0 {
			memory = size(r.MemoryBytes)
		}
		out = append(out, []cell{
			text(p.clean(r.Name)), text(none(p.clean(r.Backend))), as(stateStyle(r.State), p.clean(r.State)), text(none(port)),
			text(none(p.clean(strings.Join(r.GPUs, ",")))), number(none(memory)), text(none(p.remarks(r))),
		})
	}
	p.table("", 2, out)
	return p.flush()
}

func stateStyle(state string) style {
	switch state {
	case "serving":
		return good
	case "registered", "not applied":
		return faint
	case "starting":
		return change
	}
	return bad
}

// remarks are the roles, highest priority first, then the marks of the model.
func (s *Screen) remarks(r *engine.Row) string {
	names := slices.SortedFunc(maps.Keys(r.Roles), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.Roles[b], r.Roles[a]), cmp.Compare(a, b))
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %d", s.clean(name), r.Roles[name])
	}
	if r.Testing {
		names = append(names, "testing")
	}
	if r.Deprecated {
		names = append(names, "deprecated")
	}
	return strings.Join(names, ", ")
}

// ListJSON writes {format_version, models}: what consumers select from.
func ListJSON(w io.Writer, rows []engine.Row) error {
	return JSON(w, struct {
		FormatVersion string       `json:"format_version"`
		Models        []engine.Row `json:"models"`
	}{FormatVersion, list(rows)})
}
