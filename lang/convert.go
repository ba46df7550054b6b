package lang

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/loadoutdev/loadout/engine"
)

// toValue turns an evaluated value into what the engine holds. Sensitive
// strings and numbers become secrets with the given salt. ok is false for a
// value that is not known, because what it depends on is wrong or because no
// workspace is selected.
func (s *scope) toValue(v cty.Value, secret bool) (out engine.Value, ok bool, err error) {
	if v.IsMarked() {
		v, _ = v.Unmark()
		secret = true
	}
	if !v.IsKnown() {
		return nil, false, nil
	}
	if v.IsNull() {
		return nil, true, nil
	}
	switch ty := v.Type(); {
	case ty == cty.String:
		return s.guard(v.AsString(), secret), true, nil
	case ty == cty.Number:
		return s.number(v.AsBigFloat(), secret)
	case ty == cty.Bool && secret:
		return s.guard(strconv.FormatBool(v.True()), true), true, nil
	case ty == cty.Bool:
		return v.True(), true, nil
	case ty.IsObjectType() || ty.IsMapType():
		return s.object(v, secret)
	case ty.IsListType() || ty.IsSetType() || ty.IsTupleType():
		return s.list(v, secret)
	default:
		return nil, false, fmt.Errorf("a value of type %s cannot be used here", ty.FriendlyName())
	}
}

// guard makes a secret of a sensitive text. An empty one hides nothing.
func (s *scope) guard(text string, secret bool) engine.Value {
	if !secret || text == "" {
		return text
	}
	s.secrets.add(text)
	return engine.NewSecret(s.workspace, text)
}

func (s *scope) number(n *big.Float, secret bool) (engine.Value, bool, error) {
	if secret {
		return s.guard(n.Text('g', -1), true), true, nil
	}
	if i, accuracy := n.Int64(); accuracy == big.Exact {
		return i, true, nil
	}
	f, _ := n.Float64()
	switch {
	case math.IsInf(f, 0):
		return nil, false, errors.New("the number is infinite or too large; is something divided by zero?")
	case f == 0 && n.Sign() != 0:
		return nil, false, errors.New("the number is too close to zero to be kept")
	case f == math.Trunc(f) && !n.IsInt():
		return nil, false, errors.New("the number has too many digits: it would become " + engine.FormatValue(f) + ", which it is not")
	}
	return f, true, nil
}

// object refuses what hides as a whole: its keys become the names of fields,
// which everybody sees. Whether the keys, or a condition that chose them, are the
// secret cannot be told any more.
func (s *scope) object(v cty.Value, secret bool) (engine.Value, bool, error) {
	if secret && v.LengthInt() > 0 {
		return nil, false, errSecretKeys
	}
	out := make(map[string]any, v.LengthInt())
	for it := v.ElementIterator(); it.Next(); {
		key, value := it.Element()
		element, ok, err := s.toValue(value, secret)
		if !ok {
			return nil, false, err
		}
		out[key.AsString()] = element
	}
	return out, true, nil
}

func (s *scope) list(v cty.Value, secret bool) (engine.Value, bool, error) {
	out := make([]any, 0, v.LengthInt())
	for it := v.ElementIterator(); it.Next(); {
		_, value := it.Element()
		element, ok, err := s.toValue(value, secret)
		if !ok {
			return nil, false, err
		}
		out = append(out, element)
	}
	return out, true, nil
}

// conformTo checks a value against the type of an attribute and brings it into
// its form: "24001" to 24001, "16GiB" to bytes. nil stays nil.
func conformTo(t engine.Type, v engine.Value) (engine.Value, error) {
	if v == nil {
		return nil, nil
	}
	switch t {
	case engine.TypeString:
		return asString(v)
	case engine.TypeInt:
		return asInt(v)
	case engine.TypeBool:
		return asBool(v)
	case engine.TypeStrings:
		return asStrings(v)
	case engine.TypeBytes:
		return asBytes(v)
	case engine.TypeTime:
		return asDuration(v)
	}
	return v, nil
}

func asString(v engine.Value) (engine.Value, error) {
	switch v := v.(type) {
	case string, engine.Secret:
		return v, nil
	case int64, float64:
		return engine.FormatValue(v), nil
	}
	return nil, wrongType("a string", v)
}

func asInt(v engine.Value) (engine.Value, error) {
	switch v := v.(type) {
	case int64:
		return v, nil
	case string:
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return n, nil
		}
	}
	return nil, wrongType("a whole number", v)
}

func asBool(v engine.Value) (engine.Value, error) {
	switch v {
	case true, "true":
		return true, nil
	case false, "false":
		return false, nil
	}
	return nil, wrongType("true or false", v)
}

func asStrings(v engine.Value) (engine.Value, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, wrongType("a list of strings", v)
	}
	out := make([]any, len(list))
	for i, e := range list {
		if e == nil {
			return nil, fmt.Errorf("must be a list of strings; element %d is null", i)
		}
		text, err := asString(e)
		if err != nil {
			return nil, fmt.Errorf("must be a list of strings; element %d is %s", i, describe(e))
		}
		out[i] = text
	}
	return out, nil
}

func asDuration(v engine.Value) (engine.Value, error) {
	text, ok := v.(string)
	if !ok {
		return nil, wrongType(`a duration such as "90s" or "20m"`, v)
	}
	if d, err := time.ParseDuration(text); err != nil || d <= 0 {
		return nil, wrongType(`a duration such as "90s" or "20m"`, v)
	}
	return text, nil
}

// units of sizes, in bytes: binary by their own names, decimal by the others.
var units = map[string]int64{
	"": 1, "B": 1,
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	"kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
}

func asBytes(v engine.Value) (engine.Value, error) {
	switch v := v.(type) {
	case int64:
		if v >= 0 {
			return v, nil
		}
	case string:
		if size, ok := parseSize(v); ok {
			return size, nil
		}
	}
	return nil, wrongType(`a size such as "16GiB" or a number of bytes`, v)
}

// parseSize reads a number with a unit, rounded to whole bytes. What is not
// zero does not become zero.
func parseSize(s string) (bytes int64, ok bool) {
	text := strings.TrimSpace(s)
	digits := strings.TrimRight(text, "BKMGTkib")
	unit, known := units[strings.TrimSpace(text[len(digits):])]
	n, err := cty.ParseNumberVal(strings.TrimSpace(digits))
	if !known || err != nil {
		return 0, false
	}
	size := n.AsBigFloat()
	size = new(big.Float).Mul(size, new(big.Float).SetInt64(unit))
	bytes, _ = new(big.Float).Add(size, big.NewFloat(0.5)).Int64() // cuts off
	inRange := size.Sign() >= 0 && bytes < math.MaxInt64
	return bytes, inRange && (bytes > 0 || size.Sign() == 0)
}

func wrongType(want string, v engine.Value) error {
	return fmt.Errorf("must be %s, and is %s", want, describe(v))
}

// describe names a value for a message: short ones as they are, others by kind.
func describe(v engine.Value) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case engine.Secret:
		return "sensitive"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	case string:
		if len(v) > 40 {
			return "the string " + strconv.Quote(v[:40]) + "…"
		}
		return "the string " + strconv.Quote(v)
	}
	return engine.FormatValue(v)
}
