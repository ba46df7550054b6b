package sim

import (
	"fmt"
	"strings"
	"time"
)

// failure is something that goes wrong on demand.
type failure struct{ name, usage, doc string }

// failures are the names that LOADOUT_SIM_FAIL takes, "name" or "name=value".
var failures = [...]failure{
	{"die-loading", "die-loading", "the worker is killed in the middle of loading; exit 1"},
	{"never-ready", "never-ready", "loading never ends"},
	{"slow", "slow", "everything takes ten times as long"},
	{"oom", "oom", "the weights do not fit into the GPU's memory; exit 1"},
	{"free-memory", "free-memory", "too little memory is free at start; exit 1"},
	{"kv-cache", "kv-cache[=N]", "no room for one request, but for N tokens (1024); exit 1"},
	{"exit0-after-ready", "exit0-after-ready", "ends with status 0 right after it got ready"},
	{"crash-after", "crash-after=DUR", "the engine dies DUR after ready: /health 503, exit 0"},
	{"no-token", "no-token", "gets ready; the first generation kills the engine"},
	{"hang-engine", "hang-engine", "gets ready, /health says 200, generations never answer"},
	{"hang-on-term", "hang-on-term", "TERM kills the engine; the server waits for ever"},
}

// wishes are the failures asked for, with their values.
type wishes map[string]string

// parseWishes reads LOADOUT_SIM_FAIL.
func parseWishes(text string) (wishes, error) {
	w := wishes{}
	for item := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(item), "=")
		if name == "" {
			continue
		}
		if !knownFailure(name) {
			return nil, fmt.Errorf("LOADOUT_SIM_FAIL: unknown failure %q: `loadout sim --help` lists them", name)
		}
		w[name] = value
	}
	if d, ok := w["crash-after"]; ok {
		if _, err := time.ParseDuration(d); err != nil {
			return nil, fmt.Errorf("LOADOUT_SIM_FAIL: crash-after: %w", err)
		}
	}
	return w, nil
}

func knownFailure(name string) bool {
	for _, f := range failures {
		if f.name == name {
			return true
		}
	}
	return false
}

func (w wishes) has(name string) bool {
	_, ok := w[name]
	return ok
}
