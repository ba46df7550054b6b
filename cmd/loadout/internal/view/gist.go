package view

import (
	"slices"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// gist is the cause of a change in a few words.
func (p *planPage) gist(c *engine.Change) string {
	var fields, causes []string
	for _, r := range c.Reasons {
		switch word := causeWord(r); {
		case word != "":
			causes = append(causes, p.clean(word))
		case r.Path != "":
			fields = append(fields, p.clean(shortPath(r.Path)))
		}
	}
	if len(fields) > 0 {
		causes = append(causes, few(fields)...)
	}
	return strings.Join(slices.Compact(causes), ", ")
}

// causeWord is a reason that is not about a field that somebody wrote.
func causeWord(r engine.Reason) string {
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
