package ollama

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// readParameters parses the parameters of /api/show: "name  value" lines, values
// in Go syntax, one line for each element of a list.
func readParameters(text string) map[string]any {
	out := map[string]any{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "" {
			continue
		}
		v := readValue(strings.TrimSpace(value))
		if parameters[name].typ == engine.TypeStrings {
			list, _ := out[name].([]any)
			v = append(list, v)
		}
		out[name] = v
	}
	return out
}

func readValue(s string) any {
	if unquoted, err := strconv.Unquote(s); err == nil {
		return unquoted
	}
	if b, err := strconv.ParseBool(s); err == nil && len(s) > 1 { // "1" is a number
		return b
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return i
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return engine.Normalize(f)
	}
	return s
}

// readBack fills in what runs and how it differs from what was launched.
func readBack(live *engine.Live, s sight) {
	launched := settingsOf(live.Launch)
	live.Fields = map[string]engine.Value{}
	for name, v := range readParameters(s.shown.Parameters) {
		live.Fields[engine.JoinPath("args", name)] = v
	}
	if s.runner != nil {
		live.Fields["args.num_ctx"] = s.runner.ContextLength
		live.MemoryBytes = s.runner.VRAM
	}
	for _, name := range slices.Sorted(maps.Keys(launched.parameters)) {
		path := engine.JoinPath("args", name)
		compare(live, engine.ReasonProcessDiffers, path, launched.parameters[name], live.Fields[path])
	}
	if launched.template != "" {
		compare(live, engine.ReasonProcessDiffers, "chat_template", launched.template, s.shown.Template)
	}
	if s.runner != nil {
		readKeepAlive(live, *s.runner, launched.keepAlive)
	}
}

// readKeepAlive leaves out a default that nobody declared.
func readKeepAlive(live *engine.Live, r runner, launched string) {
	now := liveKeepAlive(r, launched)
	if launched == "" && now == forever {
		return
	}
	live.Fields["keep_alive"] = now
	compare(live, engine.ReasonProcessDiffers, "keep_alive", cmp.Or(launched, forever), now)
}

func compare(live *engine.Live, code engine.ReasonCode, path string, snapshot, now engine.Value) {
	if !engine.EqualValues(snapshot, now) {
		live.Mismatches = append(live.Mismatches, engine.Mismatch{Code: code, Path: path, Snapshot: snapshot, Live: now})
	}
}

// offloaded says how much of a runner is not in GPU memory; empty when all is.
func offloaded(r runner) string {
	if r.Size <= 0 || r.VRAM >= r.Size {
		return ""
	}
	return fmt.Sprintf("%.0f %% on CPU", 100*float64(r.Size-r.VRAM)/float64(r.Size))
}
