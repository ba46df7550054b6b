package vllm

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// checkEnvironment refuses what the kernel could not hand over: NAME=value ends
// at the first NUL, and the name at the first "=".
func (r *renderer) checkEnvironment() {
	for _, name := range slices.Sorted(maps.Keys(r.m.Env)) {
		path := engine.JoinPath("env", name)
		if name == "" || strings.ContainsAny(name, "=\x00 \t\r\n\v\f") {
			r.fail("env_name", path, fmt.Sprintf("%q is no name of an environment variable", name),
				`A name is not empty and has no "=", no blank and no NUL.`)
		}
		value, _ := r.m.Env[name].(string)
		if s, ok := r.m.Env[name].(engine.Secret); ok {
			value, _ = s.Reveal() // one of which only the hash is known is told when it is needed
		}
		if strings.ContainsRune(value, 0) {
			r.fail("env_value", path, path+" has a NUL character", "No environment variable can hold one. Remove it.")
		}
	}
}

// checkNames refuses names that vLLM would take for flags, or that no command
// line can hold.
func (r *renderer) checkNames() {
	for i, name := range append([]string{r.m.ServedName}, r.m.Aliases...) {
		path := "served_name"
		if i > 0 {
			path = "aliases"
		}
		switch {
		case strings.HasPrefix(name, "-"):
			r.fail("served_name", path, fmt.Sprintf("the model cannot be served as %q", name), "vLLM would take it for a flag. Begin it with another character.")
		case name == "" && i > 0 || strings.ContainsAny(name, "\x00\r\n"):
			r.fail("served_name", path, fmt.Sprintf("the model cannot be served as %q", name), "A name is one line, and not empty.")
		}
	}
}
