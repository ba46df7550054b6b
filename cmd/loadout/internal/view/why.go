package view

import (
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// why turns the reasons of a change into sentences, one per code, in the order
// of the reasons.
func (p *planPage) why(c *engine.Change) []string {
	var codes []engine.ReasonCode
	byCode := map[engine.ReasonCode][]engine.Reason{}
	var out []string
	for _, r := range reasonsThatCount(c) {
		if aboutLaunch(r) {
			out = append(out, p.clean(r.Detail))
			continue
		}
		if byCode[r.Code] == nil {
			codes = append(codes, r.Code)
		}
		byCode[r.Code] = append(byCode[r.Code], r)
	}
	for _, code := range codes {
		out = append(out, p.sentence(c, code, byCode[code])...)
	}
	return out
}

func (p *planPage) sentence(c *engine.Change, code engine.ReasonCode, rs []engine.Reason) []string {
	names, detail := p.names(rs), p.details(rs)
	switch code {
	case engine.ReasonNew:
		return []string{p.whyNew(c)}
	case engine.ReasonRemoved:
		return []string{p.whyRemoved(c, detail)}
	case engine.ReasonConfigChanged:
		return p.whyChanged(c, rs)
	case engine.ReasonFactsChanged:
		return []string{"the facts on disk changed: " + names}
	case engine.ReasonArtifactChanged:
		return []string{or(detail, "the files of its weights changed since it was started")}
	case engine.ReasonProcessGone:
		return []string{or(detail, "its process is gone")}
	case engine.ReasonProcessDiffers:
		return []string{or(detail, "the running process differs in "+or(names, "what it was told"))}
	case engine.ReasonAnswersDifferently:
		return []string{or(detail, "it answers differently: "+or(names, "not as this model"))}
	case engine.ReasonHung:
		return []string{or(detail, "it is alive and does not generate")}
	case engine.ReasonUnfinished:
		return []string{"an earlier apply was interrupted" + after(": ", detail)}
	case engine.ReasonMoved:
		return []string{"renamed from " + detail}
	case engine.ReasonAdopted:
		return []string{p.whyAdopted(c)}
	case engine.ReasonLockViolation:
		return []string{"its bytes are not those of the lock" + after(": ", detail)}
	}
	return []string{strings.ReplaceAll(string(code), "_", " ") + after(": ", or(detail, names))}
}

func or(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}

// after is text behind a separator, or nothing.
func after(separator, text string) string {
	if text == "" {
		return ""
	}
	return separator + text
}

// names are the fields of reasons, short.
func (s *Screen) names(rs []engine.Reason) string {
	var out []string
	for _, r := range rs {
		if r.Path != "" {
			out = append(out, s.clean(shortPath(r.Path)))
		}
	}
	return enumerate(out)
}

func (s *Screen) details(rs []engine.Reason) string {
	var out []string
	for _, r := range rs {
		if r.Detail != "" {
			out = append(out, s.clean(r.Detail))
		}
	}
	return strings.Join(once(out), "; ")
}

// shortPath leaves out what a reader knows: args.max_model_len is an argument.
func shortPath(path string) string {
	for _, root := range []string{"args.", "facts."} {
		if short, ok := strings.CutPrefix(path, root); ok {
			return short
		}
	}
	return path
}

func (p *planPage) whyNew(c *engine.Change) string {
	switch {
	case c.Desired == nil:
		return "not in the snapshot"
	case c.Served:
		return "served in " + p.clean(c.Desired.Serve.Place()) + ", not in the snapshot"
	}
	return "declared in " + p.clean(c.Desired.Origin.Place()) + ", not served in this workspace"
}

// whyRemoved names the file that the block was in, when that was recorded.
func (p *planPage) whyRemoved(c *engine.Change, detail string) string {
	switch {
	case p.o.Destroy:
		return "destroy ends everything that this workspace recorded"
	case detail != "":
		return detail
	case c.Previous != nil:
		for _, path := range []string{"source", "backend"} {
			if file, _, ok := strings.Cut(c.Previous.Origins[path], ".hcl"); ok {
				return "its block was removed (" + p.clean(file) + ".hcl no longer has it)"
			}
		}
	}
	return "its block was removed"
}

func (p *planPage) whyAdopted(c *engine.Change) string {
	if c.Adopt == nil {
		return "an adopt block takes over what runs already"
	}
	text := "an adopt block takes over what runs already"
	if c.Adopt.Pid > 0 {
		text += ", " + pid(c.Adopt.Pid)
	}
	if c.Adopt.Origin.File != "" {
		text += " (" + p.clean(c.Adopt.Origin.Place()) + ")"
	}
	return text
}

// whyChanged says what the files changed and why that costs what it costs. Only
// the dearest fields are named: they force the action, the others come along.
func (p *planPage) whyChanged(c *engine.Change, rs []engine.Reason) []string {
	var out []string
	effects := map[string]engine.Effect{}
	for i := range c.Fields {
		effects[c.Fields[i].Path] = c.Fields[i].Effect
	}
	dearest, named := engine.EffectHot, []engine.Reason{}
	for _, r := range rs {
		e, ok := effects[r.Path]
		switch {
		case !ok:
			out = append(out, or(p.clean(r.Detail), p.clean(r.Path)+" changed"))
		case dearness(e) > dearness(dearest):
			dearest, named = e, []engine.Reason{r}
		case e == dearest:
			named = append(named, r)
		}
	}
	if len(named) == 0 {
		return out
	}
	is := "is"
	if len(named) > 1 {
		is = "are"
	}
	return append([]string{p.names(named) + " " + cost(dearest, is)}, out...)
}

func dearness(e engine.Effect) int {
	switch e {
	case engine.EffectReload:
		return 1
	case engine.EffectRestart:
		return 2
	case engine.EffectReplace:
		return 3
	case engine.EffectHot:
	}
	return 0
}

// cost continues "max_model_len …".
func cost(e engine.Effect, is string) string {
	switch e {
	case engine.EffectReload:
		return is + " taken over while it runs"
	case engine.EffectRestart:
		return is + " read only when the engine starts"
	case engine.EffectReplace:
		return "cannot change in a running instance"
	case engine.EffectHot:
	}
	return "changed, which needs no restart"
}
