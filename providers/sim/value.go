package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// convert turns the text of one value into its type, with argparse's wording
// for what cannot be.
func (f *flag) convert(text string) (any, error) {
	kind, optional := strings.CutPrefix(f.kind, "optional:")
	if optional && (text == "None" || text == "") {
		return nil, nil
	}
	v, err := parseKind(kind, text)
	if err != nil {
		return nil, serveUsage("%s", f.complaint(kind, text, optional))
	}
	return v, f.checkChoice(v)
}

func parseKind(kind, text string) (any, error) {
	switch kind {
	case "int":
		return strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	case "float":
		return strconv.ParseFloat(strings.TrimSpace(text), 64)
	case "human_readable_int":
		return readableInt(text)
	case "human_readable_int_or_auto":
		if t := strings.TrimSpace(text); t == "-1" || strings.EqualFold(t, "auto") {
			return int64(-1), nil
		}
		return readableInt(text)
	case "json":
		return decodeJSON(text)
	case "json-object":
		v, err := decodeJSON(text)
		if _, ok := v.(map[string]any); err == nil && !ok {
			return nil, errNoObject
		}
		return v, err
	case "lora":
		if strings.Contains(text, "=") {
			return text, nil
		}
		_, err := decodeJSON(text)
		return text, err
	}
	return text, nil
}

var (
	errNoJSON   = errors.New("more than one JSON value")
	errNoObject = errors.New("not a JSON object")
)

// decodeJSON keeps numbers as they are written.
func decodeJSON(text string) (any, error) {
	var v any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errNoJSON
	}
	return v, nil
}

// complaint words a value that could not be converted.
func (f *flag) complaint(kind, text string, optional bool) string {
	switch {
	case kind == "lora":
		return "Invalid JSON format for --lora-modules: " + text
	case kind == "json-object" && json.Valid([]byte(text)):
		v, _ := decodeJSON(text)
		return fmt.Sprintf("argument %s: 1 validation error for %s\n  Input should be an object [type=dataclass_type, input_value=%s, input_type=%s]",
			f.label(), f.class(), python(v), pythonClass(v))
	case kind == "json-object":
		return fmt.Sprintf("argument %s: 1 validation error for %s\n  Invalid JSON: expected value at line 1 column 1 "+
			"[type=json_invalid, input_value=%s, input_type=str]", f.label(), f.class(), pythonString(text))
	case kind == "json":
		return fmt.Sprintf("argument %s: Value %s cannot be converted to <function loads at 0x7f0000000000>.", f.label(), text)
	case optional && strings.HasPrefix(kind, "human"):
		return fmt.Sprintf("argument %s: Value %s cannot be converted to <function %s at 0x7f0000000000>.", f.label(), text, kind)
	case optional:
		return fmt.Sprintf("argument %s: Value %s cannot be converted to <class '%s'>.", f.label(), text, kind)
	}
	return fmt.Sprintf("argument %s: invalid %s value: %s", f.label(), kind, pythonString(text))
}

// class is the name of the configuration class behind a JSON option.
func (f *flag) class() string {
	var b strings.Builder
	for word := range strings.SplitSeq(f.dest(), "_") {
		if len(word) == 2 || word == "eplb" {
			b.WriteString(strings.ToUpper(word))
			continue
		}
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

func (f *flag) checkChoice(v any) error {
	if len(f.choices) == 0 {
		return nil
	}
	var shown []string
	for _, c := range f.choices {
		if n, ok := c.(float64); ok {
			c = int64(n)
		}
		if c == v {
			return nil
		}
		shown = append(shown, python(c))
	}
	return serveUsage("argument %s: invalid choice: %s (choose from %s)", f.label(), python(v), strings.Join(shown, ", "))
}

var readable = regexp.MustCompile(`^(\d+)(\.\d+)?([kKmMgGtT])$`)

// readableInt reads 1k = 1000, 1K = 1024, 25.6k = 25600. A binary suffix takes
// no decimals.
func readableInt(text string) (int64, error) {
	text = strings.TrimSpace(text)
	m := readable.FindStringSubmatch(text)
	if m == nil {
		return strconv.ParseInt(text, 10, 64)
	}
	power := 1 + strings.Index("kmgt", strings.ToLower(m[3]))
	if strings.ToLower(m[3]) == m[3] {
		n, err := strconv.ParseFloat(m[1]+m[2], 64)
		return int64(n * math.Pow(1000, float64(power))), err
	}
	if m[2] != "" {
		return 0, fmt.Errorf("decimals are not allowed with %s", m[3])
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	return n << (10 * power), err
}

// pythonClass names the class of a decoded JSON value that is no object.
func pythonClass(v any) string {
	switch v := v.(type) {
	case nil:
		return "NoneType"
	case string:
		return "str"
	case bool:
		return "bool"
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return "int"
		}
		return "float"
	}
	return "list"
}

// python writes a value as Python's repr does.
func python(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case string:
		return pythonString(v)
	case bool:
		return map[bool]string{true: "True", false: "False"}[v]
	case float64:
		return pythonFloat(v)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = python(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		var parts []string
		for _, k := range sortedNames(v) {
			parts = append(parts, pythonString(k)+": "+python(v[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprint(v)
}

func pythonString(s string) string {
	quote := "'"
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = `"`
	}
	s = strings.NewReplacer("\\", `\\`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(s)
	if quote == "'" {
		s = strings.ReplaceAll(s, "'", `\'`)
	}
	return quote + s + quote
}

// pythonFloat always shows a decimal point: 2048.0.
func pythonFloat(f float64) string {
	text := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(text, ".en") {
		text += ".0"
	}
	return text
}

func pythonList(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = pythonString(w)
	}
	return strings.Join(quoted, ", ")
}
