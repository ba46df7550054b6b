package vllm

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// given is one flag as it stands on a command line.
type given struct {
	spelled string // as written, without value
	flag    *Flag  // nil: unknown
	negated bool
	dotted  string // limit-mm-per-prompt.image: "image"
	values  []string
}

var negativeNumber = regexp.MustCompile(`^-\d`)

func looksLikeFlag(word string) bool {
	return len(word) > 1 && word[0] == '-' && !negativeNumber.MatchString(word)
}

// scan splits the words behind the model into flags, the way vLLM's parser
// does, except for abbreviations. stray are words that belong to no flag.
func scan(words []string) (flags []given, stray []string) {
	for i := 0; i < len(words); {
		if !looksLikeFlag(words[i]) {
			stray = append(stray, words[i])
			i++
			continue
		}
		g, joined := resolve(words[i])
		i++
		for room := g.room(joined); room > 0 && i < len(words) && !looksLikeFlag(words[i]); room-- {
			g.values = append(g.values, words[i])
			i++
		}
		flags = append(flags, g)
	}
	return flags, stray
}

// room is how many of the words that follow can be values of the flag. An
// unknown flag may take as many as there are.
func (g *given) room(joined bool) int {
	switch {
	case joined || g.negated:
		return 0
	case g.flag == nil || g.flag.Kind == KindList:
		return 1 << 20
	case g.flag.Kind == KindSwitch || g.flag.Kind == KindOnOnly:
		return 0
	}
	return 1
}

// resolve reads one word that looks like a flag; joined says that it carries
// its value.
func resolve(word string) (g given, joined bool) {
	name, value, joined := strings.Cut(word, "=")
	g.spelled = name
	if level, ok := strings.CutPrefix(name, "-O"); ok && !strings.HasPrefix(name, "--") {
		g.flag = flags().byName["optimization_level"]
		if level != "" {
			g.values, joined = []string{level}, true
			return g, joined
		}
	}
	if strings.HasPrefix(name, "--") {
		name = kebab(name)
	}
	base, dotted, _ := strings.Cut(strings.TrimSuffix(name, "+"), ".")
	if hit, ok := flags().bySpelling[base]; ok {
		g.flag, g.negated, g.dotted = hit.flag, hit.negated, dotted
	}
	if joined {
		g.values = []string{value}
	}
	return g, joined
}

// path is the field that the flag belongs to.
func (g *given) path() string {
	if g.flag != nil {
		return engine.JoinPath("args", g.flag.Name)
	}
	return engine.JoinPath("args", strings.ReplaceAll(strings.TrimLeft(g.spelled, "-"), "-", "_"))
}

// value reads the words back into the value that words would have written.
func (g *given) value() engine.Value {
	switch {
	case g.flag == nil:
		return listOf(g.values, func(s string) engine.Value { return s })
	case g.flag.Kind == KindSwitch || g.flag.Kind == KindOnOnly:
		return !g.negated
	case g.flag.Kind == KindList || g.flag.Kind == KindRepeat:
		list := make([]any, len(g.values))
		for i, s := range g.values {
			list[i] = g.flag.read(s)
		}
		return list
	case g.dotted != "":
		return nested(strings.Split(g.dotted, "."), listOf(g.values, readJSON))
	}
	return listOf(g.values, g.flag.read)
}

// listOf is true for no value, the value itself for one, else a list.
func listOf(words []string, read func(string) engine.Value) engine.Value {
	switch len(words) {
	case 0:
		return true
	case 1:
		return read(words[0])
	}
	list := make([]any, len(words))
	for i, s := range words {
		list[i] = read(s)
	}
	return list
}

func nested(keys []string, v engine.Value) engine.Value {
	for i := len(keys) - 1; i >= 0; i-- {
		v = map[string]any{keys[i]: v}
	}
	return v
}

// read is the value that a word stands for; a word that does not fit the type
// stays text.
func (f *Flag) read(s string) engine.Value {
	switch f.Type {
	case TypeInteger, TypeSize, TypeSizeOrAuto:
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n
		}
	case TypeNumber:
		if n, err := strconv.ParseFloat(s, 64); err == nil {
			return engine.Normalize(n)
		}
	case TypeJSON, TypeJSONOrString:
		return readJSON(s)
	case TypeString:
	}
	return s
}

func readJSON(s string) engine.Value {
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil || dec.More() {
		return s
	}
	return engine.Normalize(v)
}
