package vllm

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// commandLine is the command line of a server, taken apart.
type commandLine struct {
	model string
	words []string // from the model on
}

// cut finds the model in a command line. Python and wrappers change what stands
// before it (vllm becomes python /opt/bin/vllm), nothing changes what follows.
func cut(argv []string, model string) (commandLine, bool) {
	for i, w := range argv {
		if i > 0 && w == model && argv[i-1] != "--model" {
			return commandLine{model, argv[i:]}, true
		}
	}
	for i, w := range argv {
		if strings.HasSuffix(w, "vllm.entrypoints.openai.api_server") {
			return fromModule(argv[i+1:])
		}
		if w == "serve" && i+1 < len(argv) && !looksLikeFlag(argv[i+1]) {
			return commandLine{argv[i+1], argv[i+1:]}, true
		}
	}
	return commandLine{}, false
}

// fromModule reads the older way to start the server, with the model in --model.
func fromModule(words []string) (commandLine, bool) {
	for i, w := range words {
		if w == "--model" && i+1 < len(words) {
			model := words[i+1]
			return commandLine{model, slices.Concat([]string{model}, words[:i], words[i+2:])}, true
		}
	}
	return commandLine{}, false
}

// fields reads a command line back into fields of a model: args.x for every
// flag, and the attributes that become flags. Keys of the API are left out.
func (c commandLine) fields() map[string]engine.Value {
	out := map[string]engine.Value{}
	flags, stray := scan(c.words[1:])
	for i := range flags {
		flags[i].into(out)
	}
	if len(stray) > 0 {
		out["extra_args"] = listOf(stray, func(s string) engine.Value { return s })
	}
	if filepath.IsAbs(c.model) {
		out["facts.path"] = c.model
	} else {
		out["source"] = "hf://" + c.model
	}
	return out
}

// into adds one flag to the fields; of a flag given twice the last one counts.
func (g *given) into(out map[string]engine.Value) {
	v := g.value()
	name := ""
	if g.flag != nil {
		name = g.flag.Name
	}
	switch name {
	case "api_key", "hf_token":
	case "port", "host":
		out[name] = v
	case "served_model_name":
		served, _ := v.([]any)
		if len(served) > 0 {
			out["served_name"] = served[0]
		}
		if len(served) > 1 {
			out["aliases"] = served[1:]
		}
	case "override_generation_config":
		engine.Flatten("generation", v, func(path string, v engine.Value) { out[path] = v })
	default:
		engine.Flatten(g.path(), v, func(path string, v engine.Value) { out[path] = v })
	}
}

// redact hides the keys of the API in a command line that is shown.
func redact(argv []string) []string {
	out := slices.Clone(argv)
	for i, w := range out {
		name, _, joined := strings.Cut(w, "=")
		if name != "--api-key" && name != "--api_key" && name != "--hf-token" && name != "--hf_token" {
			continue
		}
		if joined {
			out[i] = name + "=(secret)"
			continue
		}
		for j := i + 1; j < len(out) && !looksLikeFlag(out[j]); j++ {
			out[j] = "(secret)"
		}
	}
	return out
}

// differences compares what was launched with what runs, field by field.
func differences(launched, live map[string]engine.Value) []engine.Mismatch {
	var out []engine.Mismatch
	for path, v := range launched {
		if now, ok := live[path]; !ok || !engine.EqualValues(v, now) {
			out = append(out, engine.Mismatch{Code: engine.ReasonProcessDiffers, Path: path, Snapshot: v, Live: live[path]})
		}
	}
	for path, v := range live {
		if _, ok := launched[path]; !ok {
			out = append(out, engine.Mismatch{Code: engine.ReasonProcessDiffers, Path: path, Live: v})
		}
	}
	slices.SortFunc(out, func(a, b engine.Mismatch) int { return strings.Compare(a.Path, b.Path) })
	return out
}
