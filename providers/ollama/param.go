package ollama

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// number is the type of a parameter that takes fractions.
const number engine.Type = "number"

// parameter is one setting that a model of Ollama can carry.
type parameter struct {
	typ      engine.Type
	sampling bool // may be declared in generation; the rest concern the runner
}

// parameters that Ollama understands (Options and Runner in ollama api/types.go
// of 0.24.0). Ollama takes any other name without a word and ignores it, so the
// names must be known here. The table is read only.
var parameters = map[string]parameter{
	"num_batch":         {engine.TypeInt, false},
	"num_ctx":           {engine.TypeInt, false},
	"num_gpu":           {engine.TypeInt, false},
	"num_thread":        {engine.TypeInt, false},
	"main_gpu":          {engine.TypeInt, false},
	"use_mmap":          {engine.TypeBool, false},
	"num_keep":          {engine.TypeInt, true},
	"num_predict":       {engine.TypeInt, true},
	"seed":              {engine.TypeInt, true},
	"top_k":             {engine.TypeInt, true},
	"top_p":             {number, true},
	"min_p":             {number, true},
	"typical_p":         {number, true},
	"temperature":       {number, true},
	"repeat_last_n":     {engine.TypeInt, true},
	"repeat_penalty":    {number, true},
	"presence_penalty":  {number, true},
	"frequency_penalty": {number, true},
	"stop":              {engine.TypeStrings, true},
}

// generationNames translates the field's common names of sampling defaults.
var generationNames = map[string]string{
	"max_tokens":         "num_predict",
	"max_new_tokens":     "num_predict",
	"repetition_penalty": "repeat_penalty",
}

// fault is a problem of one field, before its place is known.
type fault struct {
	path, code, summary, detail string
}

// mergeParameters makes one set of parameters out of args and generation.
func mergeParameters(args, generation map[string]any) (map[string]any, []fault) {
	merged, faults := map[string]any{}, []fault(nil)
	from := map[string]string{} // parameter → path that set it
	take := func(path, name string, v any) {
		if earlier, taken := from[name]; taken {
			faults = append(faults, fault{path, "argument_conflict",
				fmt.Sprintf("%s and %s both set %s", earlier, path, name), "Keep one of them."})
			return
		}
		from[name] = path
		value, f := checkParameter(path, name, v)
		if f != nil {
			faults = append(faults, *f)
			return
		}
		merged[name] = value
	}
	for _, key := range slices.Sorted(maps.Keys(args)) {
		take(engine.JoinPath("args", key), key, args[key])
	}
	for _, key := range slices.Sorted(maps.Keys(generation)) {
		path, name := engine.JoinPath("generation", key), cmp.Or(generationNames[key], key)
		if p, known := parameters[name]; known && !p.sampling {
			faults = append(faults, fault{path, "unsupported_setting",
				key + " is not a sampling default", "Set args." + key + " instead."})
			continue
		}
		take(path, name, generation[key])
	}
	return merged, faults
}

func checkParameter(path, name string, v any) (any, *fault) {
	p, known := parameters[name]
	if !known {
		return nil, &fault{path, "unknown_argument",
			fmt.Sprintf("Ollama has no parameter %q", name), suggestion(name)}
	}
	if _, secret := v.(engine.Secret); secret {
		return nil, &fault{path, "sensitive_argument", "A sensitive value cannot be a parameter",
			"Parameters of a model can be read by everybody who reaches the Ollama service."}
	}
	value, ok := convert(p.typ, v)
	if !ok {
		return nil, &fault{path, "wrong_type",
			fmt.Sprintf("%s must be a %s, not %s", name, p.typ, engine.FormatValue(v)), ""}
	}
	return value, nil
}

// convert brings v into the one form that its type has in a launch, so that
// 1 and 1.0 give the same digest.
func convert(typ engine.Type, v any) (any, bool) {
	switch v := v.(type) {
	case bool:
		return v, typ == engine.TypeBool
	case int64:
		return v, typ == engine.TypeInt || typ == number
	case float64:
		whole := engine.Normalize(v)
		if _, isInt := whole.(int64); isInt {
			return whole, typ == engine.TypeInt || typ == number
		}
		return v, typ == number
	case []any:
		for _, e := range v {
			if _, isString := e.(string); !isString {
				return nil, false
			}
		}
		return v, typ == engine.TypeStrings
	}
	return nil, false
}

// suggestion names the nearest parameter, or all of them.
func suggestion(name string) string {
	known := slices.Sorted(maps.Keys(parameters))
	if near := engine.Nearest(name, known); near != "" {
		return fmt.Sprintf("Did you mean %q?", near)
	}
	return "Known are " + strings.Join(known, ", ") + "."
}
