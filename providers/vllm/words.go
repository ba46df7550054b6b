package vllm

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// words writes the flag with its value as words of the command line, or says
// what is wrong with the value.
func (f *Flag) words(v engine.Value) ([]string, error) {
	switch f.Kind {
	case KindSwitch, KindOnOnly:
		return f.switchWords(v)
	case KindList, KindRepeat:
		return f.listWords(v)
	}
	s, err := f.scalar(v)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(s, "-") { // argparse would take it for a flag
		return []string{f.word() + "=" + s}, nil
	}
	return []string{f.word(), s}, nil
}

func (f *Flag) switchWords(v engine.Value) ([]string, error) {
	on, ok := v.(bool)
	switch {
	case !ok:
		return nil, &valueError{"must be true or false"}
	case on:
		return []string{f.word()}, nil
	case f.Kind == KindOnOnly:
		return nil, &valueError{"can only be true: vLLM has no flag that turns it off. Use null to leave it unset"}
	}
	return []string{f.negation()}, nil
}

func (f *Flag) listWords(v engine.Value) ([]string, error) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if len(list) == 0 {
		return nil, &valueError{"must not be empty. Use null to leave it unset"}
	}
	var out []string
	for _, e := range list {
		s, err := f.scalar(e)
		if err != nil {
			return nil, err
		}
		switch {
		case f.Kind == KindRepeat:
			out = append(out, f.word()+"="+s)
		case strings.HasPrefix(s, "-"):
			return nil, &valueError{fmt.Sprintf("cannot hold %q: vLLM would take it for a flag", s)}
		default:
			out = append(out, s)
		}
	}
	if f.Kind == KindList {
		out = slices.Insert(out, 0, f.word())
	}
	return out, nil
}

// valueError completes a sentence that begins with the path of the argument.
type valueError struct{ says string }

func (e *valueError) Error() string { return e.says }

// rangeError is a value of the right type that no server can work with. It
// completes a sentence like a valueError.
type rangeError struct{ says string }

func (e *rangeError) Error() string { return e.says }

// choiceError is a value outside of a closed list.
type choiceError struct {
	value   string
	choices []string
}

func (e *choiceError) Error() string {
	return fmt.Sprintf("is %q; vLLM takes %s", e.value, strings.Join(e.choices, ", "))
}

// scalar writes one value as one word.
func (f *Flag) scalar(v engine.Value) (string, error) {
	s, err := f.typed(v)
	if err != nil || f.Choices == nil {
		return s, err
	}
	var choices []string
	for _, c := range f.Choices {
		choices = append(choices, plain(c))
	}
	if !slices.Contains(choices, s) {
		return "", &choiceError{s, choices}
	}
	return s, nil
}

func (f *Flag) typed(v engine.Value) (string, error) {
	switch f.Type {
	case TypeInteger:
		n, ok := v.(int64)
		switch {
		case !ok:
			return "", &valueError{"must be a whole number"}
		case n < 1 && strings.HasSuffix(f.Name, "_parallel_size"):
			return "", &rangeError{"must be at least 1"}
		}
		return plain(n), nil
	case TypeNumber:
		switch v.(type) {
		case int64, float64:
			return plain(v), nil
		}
		return "", &valueError{"must be a number"}
	case TypeSize, TypeSizeOrAuto:
		return f.size(v)
	case TypeJSON, TypeJSONOrString:
		return f.json(v)
	}
	switch v.(type) {
	case string, int64, float64:
		return plain(v), nil
	}
	return "", &valueError{"must be a string"}
}

func (f *Flag) size(v engine.Value) (string, error) {
	s := plain(v)
	n, ok := Size(s)
	auto := f.Type == TypeSizeOrAuto && (s == "auto" || ok && n == -1)
	switch {
	case auto || ok && n > 0:
		return s, nil
	case ok && f.Type == TypeSizeOrAuto:
		return "", &rangeError{`must be more than 0, or "auto"`}
	case ok:
		return "", &rangeError{"must be more than 0"}
	}
	if f.Type == TypeSizeOrAuto {
		return "", &valueError{`must be a whole number, a size such as "32k", or "auto"`}
	}
	return "", &valueError{`must be a whole number or a size such as "2g"`}
}

func (f *Flag) json(v engine.Value) (string, error) {
	switch v := v.(type) {
	case map[string]any, []any:
		return string(engine.CanonicalJSON(v)), nil
	case string:
		if f.Type == TypeJSONOrString || json.Valid([]byte(v)) {
			return v, nil
		}
		return "", &valueError{"must be an object or a list; the string is no JSON"}
	}
	return "", &valueError{"must be an object or a list"}
}

// plain writes a scalar in its shortest form; other values are written as JSON.
func plain(v engine.Value) string {
	if s, ok := v.(string); ok {
		return s
	}
	return engine.FormatValue(v)
}

var sizePattern = regexp.MustCompile(`^(-?\d+(?:\.\d+)?)([kKmMgGtT]?)$`)

// Size reads a size as vLLM does: a lower-case suffix counts in thousands, an
// upper-case one in 1024s.
func Size(s string) (int64, bool) {
	m := sizePattern.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	if m[2] == "" {
		n, err := strconv.ParseInt(m[1], 10, 64)
		return n, err == nil
	}
	base := 1000.0
	if strings.ToUpper(m[2]) == m[2] {
		base = 1024
	}
	n, err := strconv.ParseFloat(m[1], 64)
	for range strings.Index("kmgt", strings.ToLower(m[2])) + 1 {
		n *= base
	}
	return int64(n), err == nil && n < 1<<62 && n > -1<<62
}
