package artifact

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
)

// maxDepth bounds the nesting of a side file. Real ones stay below ten.
const maxDepth = 100

// object is a decoded JSON object of an unknown producer. Getters give the zero
// value for what is absent, null or of another type.
type object map[string]any

func (o object) object(key string) object {
	m, _ := o[key].(map[string]any)
	return m
}

func (o object) text(key string) string {
	s, _ := o[key].(string)
	return s
}

func (o object) flag(key string) bool {
	b, _ := o[key].(bool)
	return b
}

// number is a positive whole number; 0 stands for everything else.
func (o object) number(key string) int64 { return whole(o[key]) }

// factor is a positive number, 1 when absent.
func (o object) factor(key string) float64 {
	if f, ok := o[key].(float64); ok && f > 0 {
		return f
	}
	return 1
}

// whole accepts 4096 and 4096.0. Above 1e15 a value is a stand-in for
// "unlimited" (tokenizers write 1e30).
func whole(v any) int64 {
	f, ok := v.(float64)
	if !ok || f < 1 || f > 1e15 || f != math.Trunc(f) {
		return 0
	}
	return int64(f)
}

// decodeObject decodes a JSON object as Python writes it: NaN and Infinity,
// which JSON does not know, count as null.
func decodeObject(data []byte) (object, error) {
	clean, err := tolerate(data)
	if err != nil {
		return nil, err
	}
	var o object
	if err := json.Unmarshal(clean, &o); err != nil {
		return nil, fmt.Errorf("is not a JSON object: %w", err)
	}
	if o == nil {
		return nil, fmt.Errorf("is not a JSON object: it is null")
	}
	return o, nil
}

// notNumbers are the words that Python's json writes for what is no number,
// longest first.
var notNumbers = [][]byte{[]byte("-Infinity"), []byte("Infinity"), []byte("NaN")}

// tolerate replaces the words of notNumbers outside strings by null, drops a
// byte order mark and refuses nesting deeper than maxDepth.
func tolerate(data []byte) ([]byte, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	var out []byte
	depth, copied := 0, 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			i = endOfString(data, i)
		case '{', '[':
			if depth++; depth > maxDepth {
				return nil, fmt.Errorf("is nested deeper than %d levels", maxDepth)
			}
		case '}', ']':
			depth--
		case '-', 'I', 'N':
			if n := notNumber(data[i:]); n > 0 {
				out = append(append(out, data[copied:i]...), "null"...)
				copied = i + n
				i += n - 1
			}
		}
	}
	if copied == 0 {
		return data, nil
	}
	return append(out, data[copied:]...), nil
}

func notNumber(rest []byte) int {
	for _, word := range notNumbers {
		if bytes.HasPrefix(rest, word) {
			return len(word)
		}
	}
	return 0
}

// endOfString gives the index of the closing quote of the string that opens at
// start, or the end of data.
func endOfString(data []byte, start int) int {
	for i := start + 1; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(data)
}
