package view

import (
	"fmt"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// Show writes the snapshot of the last apply for people; its JSON is the
// snapshot itself. unfinished are operations of a run that was killed.
func Show(s *Screen, snap *engine.Snapshot, unfinished []engine.Unfinished) error {
	p := s.page()
	dot := " " + p.glyphs().dot + " "
	p.line(p.paint(strong, p.clean(snap.Workspace)), dot, Count(len(snap.Models), "model"), dot, fmt.Sprintf("snapshot %d", snap.Serial),
		dot, "lineage ", p.clean(snap.Lineage))
	for i := range snap.Models {
		p.gap()
		p.entry(snap, &snap.Models[i])
	}
	if len(unfinished) > 0 {
		p.gap()
		p.line("Left unfinished by an interrupted run")
		for i := range unfinished {
			p.line("  ", p.paint(bad, "!"), " ", p.clean(unfinished[i].Model), "   ", string(unfinished[i].Op))
		}
		p.line("The next plan finds out by looking what came of it.")
	}
	return p.flush()
}

func (p *page) entry(snap *engine.Snapshot, e *engine.Entry) {
	in := snap.Instance(e.Name)
	p.title(" ", p.clean(e.Name), faint, p.recorded(e, in))
	if in != nil {
		p.instance(in)
	}
	rows := [][]cell{}
	for _, k := range sortedKeys(e.Values) {
		engine.Flatten(engine.JoinPath("", k), e.Values[k], func(path string, v engine.Value) {
			row := []cell{text(p.clean(path)), text(p.brief(v, inlineMost)), dim(p.clean(e.Origins[path]))}
			rows = append(rows, row)
		})
	}
	p.table("    ", 2, rows)
}

func (p *page) recorded(e *engine.Entry, in *engine.Instance) string {
	switch {
	case in != nil && in.Adopted:
		return "adopted"
	case in != nil:
		return "started " + p.in(in.StartedAt).Format("2006-01-02 15:04")
	case e.Served:
		return "not running"
	}
	return "registered, not served"
}

// instance is what was started: "vllm, launch 7, pid 5150, http://…".
func (p *page) instance(in *engine.Instance) {
	parts := []string{p.clean(in.Backend), "launch " + p.clean(in.ID)}
	if in.Pid > 0 {
		parts = append(parts, pid(in.Pid))
	}
	if in.Launch.URL != "" {
		parts = append(parts, p.clean(in.Launch.URL))
	}
	if in.MemoryBytes > 0 {
		parts = append(parts, size(in.MemoryBytes))
	}
	if in.ReadySeconds > 0 {
		parts = append(parts, "ready after "+seconds(in.ReadySeconds))
	}
	p.line("    ", strings.Join(parts, ", "))
	if in.Log != "" {
		p.line("    log ", p.paint(faint, p.clean(in.Log)))
	}
}
