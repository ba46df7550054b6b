package ollama

import (
	"fmt"
	"maps"
	"slices"

	"github.com/loadoutdev/loadout/engine"
)

// settings is what Launch.Settings holds, typed.
type settings struct {
	from       string         // base tag
	parameters map[string]any // int64, float64, bool or []any of string
	template   string         // Go template; empty: the base's
	keepAlive  string         // as declared; empty: not declared, forever
}

// encode leaves out what is not declared, so that the digest of a launch
// depends on nothing else.
func (s settings) encode() map[string]any {
	m := map[string]any{"from": s.from}
	if s.keepAlive != "" {
		m["keep_alive"] = s.keepAlive
	}
	if len(s.parameters) > 0 {
		m["parameters"] = s.parameters
	}
	if s.template != "" {
		m["template"] = s.template
	}
	return m
}

// settingsOf reads a launch, also one that went through JSON.
func settingsOf(l engine.Launch) settings {
	m, _ := engine.Normalize(l.Settings).(map[string]any)
	var s settings
	s.from, _ = m["from"].(string)
	s.keepAlive, _ = m["keep_alive"].(string)
	s.template, _ = m["template"].(string)
	s.parameters, _ = m["parameters"].(map[string]any)
	return s
}

// derived tells whether the launch needs a tag of its own: not when the model
// is served under its base's name, which Render allows only without parameters.
func derived(l engine.Launch) bool { return !sameName(l.Served[0], l.Model) }

// Exclude says which runner settings differ: Ollama keeps one runner for a set
// of weights, so that two tags with other settings load each other out.
func (p *Provider) Exclude(a, b *engine.Launch) string {
	one, two := settingsOf(*a).parameters, settingsOf(*b).parameters
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		if !parameters[name].sampling && !engine.EqualValues(one[name], two[name]) {
			return fmt.Sprintf("Ollama runs one copy of %s at a time, and %s is %s for one and %s for the other",
				a.Model, name, engine.FormatValue(one[name]), engine.FormatValue(two[name]))
		}
	}
	return ""
}
