package view

import (
	"slices"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// gist is the cause of a change in a few words, each cause once.
func (p *planPage) gist(c *engine.Change) string {
	var fields, causes []string
	for _, r := range reasonsThatCount(c) {
		switch word := causeWord(r); {
		case word != "":
			causes = append(causes, p.clean(word))
		case r.Path != "":
			fields = append(fields, p.clean(shortPath(r.Path)))
		}
	}
	causes = slices.DeleteFunc(causes, func(cause string) bool { // said again with the field
		return slices.ContainsFunc(causes, func(o string) bool { return strings.HasPrefix(o, cause+" in ") })
	})
	return strings.Join(once(append(causes, few(fields)...)), ", ")
}

// once drops what was said before.
func once(words []string) []string {
	var out []string
	for _, w := range words {
		if !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// reasonsThatCount are the reasons of a change, that of the launch first.
// Fields that need no restart are not why something is restarted; facts are,
// where they change what the backend is told.
func reasonsThatCount(c *engine.Change) []engine.Reason {
	var launch, others []engine.Reason
	for _, r := range c.Reasons {
		if aboutLaunch(r) {
			launch = append(launch, r)
		}
	}
	for _, r := range c.Reasons {
		told := slices.ContainsFunc(launch, func(l engine.Reason) bool { return l.Code == r.Code && r.Code == engine.ReasonFactsChanged })
		if !aboutLaunch(r) && (told || !comesAlong(c, r)) {
			others = append(others, r)
		}
	}
	return append(launch, others...)
}

// aboutLaunch: the backend would be told something else than it was, although
// no written field asks for a restart.
func aboutLaunch(r engine.Reason) bool { return r.Path == "launch" && r.Detail != "" }

// comesAlong: the field of a reason would not have cost the restart that
// happens anyway.
func comesAlong(c *engine.Change, r engine.Reason) bool {
	if c.Action != engine.ActionRestart && c.Action != engine.ActionReplace {
		return false
	}
	if r.Code != engine.ReasonConfigChanged && r.Code != engine.ReasonFactsChanged {
		return false
	}
	for i := range c.Fields {
		if f := &c.Fields[i]; f.Path == r.Path {
			return f.Effect == engine.EffectHot || f.Effect == engine.EffectReload
		}
	}
	return false
}

// causeWord is a reason that is not about a field that somebody wrote.
func causeWord(r engine.Reason) string {
	if aboutLaunch(r) {
		return r.Detail
	}
	switch r.Code {
	case engine.ReasonNew:
		return "new"
	case engine.ReasonRemoved:
		return "removed"
	case engine.ReasonArtifactChanged:
		return "weights changed"
	case engine.ReasonProcessGone:
		return "process gone"
	case engine.ReasonProcessDiffers:
		return "process differs" + after(" in ", shortPath(r.Path))
	case engine.ReasonAnswersDifferently:
		return "answers differently" + after(" in ", shortPath(r.Path))
	case engine.ReasonHung:
		return "hung"
	case engine.ReasonUnfinished:
		return "interrupted before"
	case engine.ReasonMoved:
		return "renamed from " + r.Detail
	case engine.ReasonAdopted:
		return "already running"
	case engine.ReasonLockViolation:
		return "not the locked bytes"
	case engine.ReasonConfigChanged, engine.ReasonFactsChanged:
	}
	return ""
}
