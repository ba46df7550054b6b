package view

import (
	"slices"
	"strconv"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// isArgumentList tells whether both values (one may be missing) are lists of
// command line arguments.
func isArgumentList(path string, before, after engine.Value) bool {
	root := engine.Root(path)
	if root != "extra_args" && root != "command" && root != "launch" && root != "argv" {
		return false
	}
	return isList(before) && isList(after) && (before != nil || after != nil)
}

func isList(v engine.Value) bool {
	_, ok := v.([]any)
	return ok || v == nil
}

// words are the strings of a list; other values in their written form.
func words(v engine.Value) []string {
	list, _ := v.([]any)
	out := make([]string, len(list))
	for i, e := range list {
		if t, ok := e.(string); ok {
			out[i] = t
			continue
		}
		out[i] = engine.FormatValue(e)
	}
	return out
}

// argument is a flag with its values, or, with an empty flag, the words before
// the first flag.
type argument struct {
	flag   string
	values []string
}

// arguments groups words by flag: "--tp 4", "--tp=4" and "--tp" stand alike.
// A negative number is a value.
func arguments(words []string) []argument {
	var out []argument
	for _, w := range words {
		flag, value, assigned := strings.Cut(w, "=")
		switch {
		case isFlag(w) && assigned:
			out = append(out, argument{flag, []string{value}})
		case isFlag(w):
			out = append(out, argument{flag: w})
		case len(out) == 0:
			out = append(out, argument{values: []string{w}})
		default:
			last := &out[len(out)-1]
			last.values = append(last.values, w)
		}
	}
	return out
}

func isFlag(w string) bool {
	if !strings.HasPrefix(w, "-") || len(w) < 2 {
		return false
	}
	_, err := strconv.ParseFloat(w, 64)
	return err != nil
}

// flagDiff compares two argument lists flag by flag: a flag that stands
// elsewhere has not changed.
func (s *Screen) flagDiff(before, after []string) []diffLine {
	was, is := byFlag(arguments(before)), byFlag(arguments(after))
	names := sortedKeys(was)
	for name := range is {
		if _, both := was[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var out []diffLine
	same := 0
	for _, name := range names {
		b, a := was[name], is[name]
		if slices.EqualFunc(b, a, slices.Equal) {
			same += len(a)
			continue
		}
		out = append(out, s.flagLines(name, b, a)...)
	}
	if out == nil {
		out = append(out, diffLine{' ', "the same arguments in another order"})
	}
	return unchanged(out, same, "argument")
}

// byFlag collects the values of each flag, one list per time it is given.
func byFlag(args []argument) map[string][][]string {
	m := map[string][][]string{}
	for _, a := range args {
		m[a.flag] = append(m[a.flag], a.values)
	}
	return m
}

// flagLines shows one flag. Given once on both sides it is old → new.
func (s *Screen) flagLines(name string, before, after [][]string) []diffLine {
	if len(before) == 1 && len(after) == 1 {
		text := s.command(before[0]) + " " + s.glyphs().arrow + " " + s.command(after[0])
		if name != "" {
			text = s.clean(name) + "  " + text
		}
		return []diffLine{{' ', text}}
	}
	var out []diffLine
	for _, v := range before {
		out = append(out, diffLine{'-', s.command(flagged(name, v))})
	}
	for _, v := range after {
		out = append(out, diffLine{'+', s.command(flagged(name, v))})
	}
	return out
}

func flagged(name string, values []string) []string {
	if name == "" {
		return values
	}
	return append([]string{name}, values...)
}

// command writes words as one could paste them into a POSIX shell. No words at
// all are a flag without a value.
func (s *Screen) command(words []string) string {
	if len(words) == 0 {
		return "(no value)"
	}
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = s.clean(shellWord(w))
	}
	return strings.Join(out, " ")
}

func shellWord(w string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,+@%", r)
	}
	if w != "" && strings.IndexFunc(w, func(r rune) bool { return !safe(r) }) < 0 {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}
