package ollama

import (
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

const markerWord = "loadout-instance"

// mark is what our derived models carry as a license text.
type mark struct {
	token string // of the launch
	owner string // of the model in its state directory, the same for all its launches
}

// markOf is the mark of a launch. One run at a time holds a state directory, so
// a tag with the owner of this model is left from an earlier launch of it.
func markOf(stateDir, model, token string) mark {
	return mark{token, engine.Digest([]string{stateDir, model})[:16]}
}

func (m mark) String() string { return markerWord + " " + m.token + " owner " + m.owner }

// readMark finds the mark in the license texts of a model. The last one counts:
// a base may be a derived model itself.
func readMark(license string) (mark, bool) {
	var m mark
	for line := range strings.Lines(license) {
		f := strings.Fields(line)
		if len(f) == 4 && f[0] == markerWord && f[2] == "owner" {
			m = mark{f[1], f[3]}
		}
	}
	return m, m != mark{}
}
