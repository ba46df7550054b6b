package vllm

import (
	"fmt"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// extraArgs checks the raw arguments, the way out for flags that are not known
// here, and passes them on as they are. They must not undo what args or Loadout
// itself say.
func (r *renderer) extraArgs() []string {
	for _, word := range r.m.ExtraArgs {
		if word == "--" {
			r.fail("stray_argument", "extra_args", `extra_args has "--"`, "vLLM would take every word behind it for a model.")
			return nil
		}
	}
	given, stray := scan(r.m.ExtraArgs)
	if len(stray) > 0 {
		r.fail("stray_argument", "extra_args", fmt.Sprintf("the word %q of extra_args belongs to no flag", stray[0]), "A flag stands before its value: \"--seed\", \"7\".")
	}
	for i := range given {
		r.extraArg(&given[i])
	}
	return r.m.ExtraArgs
}

func (r *renderer) extraArg(g *given) {
	if g.flag == nil {
		r.extraUnknown(g)
		return
	}
	name := g.flag.Name
	if way, no := blocked(r.m, name); no {
		r.fail("reserved_argument", "extra_args", fmt.Sprintf("extra_args cannot set %s", g.spelled), way)
		return
	}
	if by := r.from[name]; by != "" && (g.flag.Kind != KindRepeat || by != "extra_args") && (g.dotted == "" || by != "extra_args") {
		r.extraDuplicate(g, by)
		return
	}
	r.from[name] = "extra_args"
	r.extraValue(g)
}

func (r *renderer) extraDuplicate(g *given, by string) {
	summary := fmt.Sprintf("%s in extra_args and %s give the same flag %s", g.spelled, by, g.flag.word())
	detail := fmt.Sprintf("Set args.%s instead.", g.flag.Name)
	switch by {
	case "extra_args":
		summary = fmt.Sprintf("extra_args gives the flag %s twice", g.flag.word())
	case "source":
		detail = "The source names the revision."
	}
	r.fail("duplicate_argument", "extra_args", summary, detail)
}

func (r *renderer) extraUnknown(g *given) {
	name := strings.ReplaceAll(strings.TrimLeft(g.spelled, "-"), "-", "_")
	if full := flags().abbreviated(kebab(g.spelled)); full != nil {
		r.fail("abbreviated_argument", "extra_args", fmt.Sprintf("%s is an abbreviation of %s", g.spelled, full.word()), fmt.Sprintf("vLLM would take it silently. Set args.%s instead.", full.Name))
		return
	}
	if why := removed[name]; why != "" {
		r.fail("removed_argument", "extra_args", fmt.Sprintf("vLLM %s has no flag %s any more", Version, g.spelled), why)
		return
	}
	detail := "It is passed on; vLLM stops at the start if it does not know it."
	if s := engine.Nearest(name, flags().names); s != "" {
		detail = fmt.Sprintf("Did you mean %s? ", flags().byName[s].word()) + detail
	}
	r.warn("unknown_argument", "extra_args", fmt.Sprintf("vLLM %s has no flag %s", Version, g.spelled), detail)
}

// extraValue checks number and type of the values, as far as args would.
func (r *renderer) extraValue(g *given) {
	takes := g.flag.Kind != KindSwitch && g.flag.Kind != KindOnOnly
	switch {
	case takes && len(g.values) == 0:
		r.fail("wrong_type", "extra_args", fmt.Sprintf("%s in extra_args has no value", g.spelled), "Its value is the next word.")
	case !takes && len(g.values) > 0:
		r.fail("wrong_type", "extra_args", fmt.Sprintf("%s in extra_args takes no value", g.spelled), fmt.Sprintf("Set args.%s instead.", g.flag.Name))
	case takes && g.dotted == "":
		if _, err := g.flag.words(g.value()); err != nil {
			r.fail("wrong_type", "extra_args", fmt.Sprintf("%s in extra_args %s", g.spelled, err), "")
		}
	}
}
