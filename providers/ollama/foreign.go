package ollama

import (
	"fmt"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// foreign tells whether the name of an instance now belongs to somebody else:
// its tag has another manifest and does not carry the mark of the launch.
func (s sight) foreign(in engine.Instance) bool {
	return s.tag != nil && derived(in.Launch) && !s.ours(in.Token) && s.tag.Digest != in.Digest
}

// foreignError refuses to touch the tag of somebody else. It is an
// engine.ErrForeign.
type foreignError struct{ detail string }

func (e *foreignError) Error() string { return e.detail }

func (e *foreignError) Unwrap() error { return engine.ErrForeign }

// wayOut says, of a foreign tag, whose it is and what can be done, in one line.
func (s sight) wayOut(in engine.Instance) string {
	name, digest := s.tag.Name, s.tag.Digest[:min(12, len(s.tag.Digest))] // as long as in ollama list
	if s.marked {
		return fmt.Sprintf("%s belongs to another model or workspace of Loadout by now (digest %s…): choose another served_name", name, digest)
	}
	out := fmt.Sprintf("%s was made again by somebody else (digest %s…): keep it and choose another served_name, or drop it with %q",
		name, digest, "ollama rm "+shortName(name))
	if listedAs(s.runners, in.Digest) != nil {
		out += fmt.Sprintf("; what Loadout loaded stays in memory until %q", "ollama stop "+in.Launch.Model)
	}
	return out
}

// takenHint names the ways out when the name of a model that is to be started
// is taken by a tag that Loadout did not make.
func takenHint(model, name string) string {
	return fmt.Sprintf(`take it over with "adopt { to = %s }", choose another served_name, or drop it with %q`,
		address(model), "ollama rm "+shortName(name))
}

// address is how a configuration refers to a model.
func address(model string) string {
	label, key, keyed := strings.Cut(model, "[")
	if keyed {
		key = "[" + key
	}
	plain := label != "" && (label[0] < '0' || label[0] > '9')
	for i := range len(label) {
		plain = plain && (isWord(label[i]) || label[i] == '-' && i > 0)
	}
	if !plain {
		return fmt.Sprintf("model[%q]%s", label, key)
	}
	return "model." + label + key
}
