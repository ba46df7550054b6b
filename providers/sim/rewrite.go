package sim

import (
	"encoding/json"
	"regexp"
	"sort"
	"strings"
)

const modelHint = "With `vllm serve`, you should provide the model as a positional argument or in a config file " +
	"instead of via the `--model` option. The `--model` option will be removed in a future version."

// rewrite does what vLLM does to the arguments of serve before argparse sees
// them: --model moves to the front, underscores become dashes, -O<n> becomes
// --optimization-level, and dotted options become one JSON object.
func rewrite(args []string) (rewritten, warnings []string, err error) {
	if i := indexOption(args, "--model"); i >= 0 {
		warnings = append(warnings, modelHint)
		args = modelFirst(args, i)
	}
	if len(args) > 0 && strings.HasPrefix(args[0], "-") && indexOption(args, "--config") < 0 && namesBeforeModel(args) {
		return nil, warnings, raise("ValueError", "`model` should be provided as the first positional argument when "+
			"using `vllm serve`. i.e. `vllm serve <model> --<arg> <value>`.")
	}
	plain, dotted, duplicates := separate(normalize(args))
	if len(duplicates) > 0 {
		warnings = append(warnings, "Found duplicate keys "+strings.Join(duplicates, ", "))
	}
	for _, key := range sortedNames(dotted) {
		text, err := json.Marshal(dotted[key])
		if err != nil {
			return nil, warnings, err
		}
		plain = append(plain, key, string(text))
	}
	return plain, warnings, nil
}

func indexOption(args []string, name string) int {
	for i, a := range args {
		if a == name || strings.HasPrefix(a, name+"=") {
			return i
		}
	}
	return -1
}

func modelFirst(args []string, at int) []string {
	model, inline := strings.CutPrefix(args[at], "--model=")
	rest := at + 1
	if !inline {
		if rest == len(args) {
			return args
		}
		model, rest = args[rest], rest+1
	}
	moved := append([]string{model}, args[:at]...)
	return append(moved, args[rest:]...)
}

var servedName = regexp.MustCompile(`^--served[-_]model[-_]name(=.+|$)`)

func namesBeforeModel(args []string) bool {
	for _, a := range args {
		if servedName.MatchString(a) {
			return true
		}
	}
	return false
}

var optimizationLevel = regexp.MustCompile(`^[0-3]$`)

// normalize makes one spelling of option names.
func normalize(args []string) []string {
	var out []string
	for i, a := range args {
		switch {
		case strings.HasPrefix(a, "--help="):
			out = append(out, "--help")
		case strings.HasPrefix(a, "--"):
			out = append(out, dashes(a))
		case a == "-O" && i+1 < len(args) && optimizationLevel.MatchString(args[i+1]):
			out = append(out, "--optimization-level")
		case strings.HasPrefix(a, "-O") && a != "-O":
			out = append(out, "--optimization-level", strings.TrimPrefix(a[2:], "="))
		default:
			out = append(out, a)
		}
	}
	return out
}

// dashes replaces the underscores of an option's name, up to its first dot.
func dashes(arg string) string {
	end := strings.IndexAny(arg, "=.")
	if end < 0 {
		end = len(arg)
	}
	return strings.ReplaceAll(arg[:end], "_", "-") + arg[end:]
}

// separate takes the dotted options out and lists options given twice. The
// comparison is by the name as written: an abbreviation and its full name are
// no duplicates, just as in vLLM.
func separate(args []string) (plain []string, dotted map[string]map[string]any, duplicates []string) {
	seen, dotted := map[string]bool{}, map[string]map[string]any{}
	twice := map[string]bool{}
	for i := 0; i < len(args); i++ {
		name, value, inline := strings.Cut(args[i], "=")
		isOption := strings.HasPrefix(name, "--")
		if !isOption || !strings.Contains(name, ".") {
			if isOption && seen[name] {
				twice[name] = true
			}
			seen[name] = seen[name] || isOption
			plain = append(plain, args[i])
			continue
		}
		if !inline && i+1 < len(args) {
			i++
			value = args[i]
		}
		key, path, _ := strings.Cut(name, ".")
		if dotted[key] == nil {
			dotted[key] = map[string]any{}
		}
		if put(dotted[key], path, value) {
			twice[key+"."+strings.TrimSuffix(path, "+")] = true
		}
	}
	for name := range twice {
		duplicates = append(duplicates, name)
	}
	sort.Strings(duplicates)
	return plain, dotted, duplicates
}

// put stores a dotted value and says whether it replaced one. A path that ends
// in "+" appends to a list.
func put(object map[string]any, path, text string) bool {
	path, list := strings.CutSuffix(path, "+")
	value := dottedValue(text)
	if list {
		value = nil
		for part := range strings.SplitSeq(text, ",") {
			value = append(asList(value), part)
		}
	}
	keys := strings.Split(path, ".")
	for _, k := range keys[:len(keys)-1] {
		next, ok := object[k].(map[string]any)
		if !ok {
			next = map[string]any{}
			object[k] = next
		}
		object = next
	}
	last := keys[len(keys)-1]
	old, had := object[last]
	if list && had {
		object[last] = append(asList(old), asList(value)...)
		return false
	}
	object[last] = value
	return had
}

func asList(v any) []any {
	l, _ := v.([]any)
	return l
}

func dottedValue(text string) any {
	var v any
	if json.Unmarshal([]byte(text), &v) == nil {
		return v
	}
	if n, err := readableInt(text); err == nil {
		return n
	}
	return text
}

func sortedNames[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
