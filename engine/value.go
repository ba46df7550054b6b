package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// A Value is what a field holds: nil, bool, int64, float64, string, [Secret],
// []any or map[string]any of the same. Whole numbers that fit are int64.
type Value = any

// Secret is a sensitive string. Its plain text lives only in memory, on the way
// from the configuration to the environment of a process; everything that is
// written, printed or compared is the hash.
type Secret struct {
	hash  string
	plain string
}

// NewSecret wraps plain. The salt (the workspace's name) keeps equal secrets of
// different workspaces apart in files that people may compare.
func NewSecret(salt, plain string) Secret {
	sum := sha256.Sum256([]byte("loadout/secret/1\x00" + salt + "\x00" + plain))
	return Secret{hash: hex.EncodeToString(sum[:]), plain: plain}
}

// Reveal returns the plain text; ok is false for a secret that was read back
// from a file, where only its hash is.
func (s Secret) Reveal() (plain string, ok bool) { return s.plain, s.plain != "" }

// Hash is the salted SHA-256 in lower-case hex.
func (s Secret) Hash() string { return s.hash }

// String never shows the plain text.
func (s Secret) String() string {
	if len(s.hash) < 8 {
		return "(secret)"
	}
	return "(secret " + s.hash[:8] + ")"
}

// GoString keeps %#v from showing the plain text.
func (s Secret) GoString() string { return s.String() }

// secretKey marks a secret in JSON: {"$secret": "<hash>"}.
const secretKey = "$secret"

// MarshalJSON writes the hash only.
func (s Secret) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{secretKey: s.hash})
}

// UnmarshalJSON reads a hash; the plain text is gone.
func (s *Secret) UnmarshalJSON(b []byte) error {
	var m map[string]string
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	if m[secretKey] == "" {
		return fmt.Errorf("not a secret: %s", b)
	}
	*s = Secret{hash: m[secretKey]}
	return nil
}

// EqualValues compares two values by content. Numbers compare by size, not by
// type (4 equals 4.0), secrets by hash.
func EqualValues(a, b Value) bool {
	switch a := a.(type) {
	case int64:
		switch b := b.(type) {
		case int64:
			return a == b
		case float64:
			return float64(a) == b
		}
		return false
	case float64:
		switch b := b.(type) {
		case int64:
			return a == float64(b)
		case float64:
			return a == b
		}
		return false
	case Secret:
		b, ok := b.(Secret)
		return ok && a.hash == b.hash
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, EqualValues)
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, EqualValues)
	}
	return reflect.DeepEqual(a, b)
}

// FormatValue writes a value the way the language writes it: strings quoted,
// objects and lists as JSON. nil is "null".
func FormatValue(v Value) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case Secret:
		return v.String()
	}
	return string(CanonicalJSON(v))
}

// CanonicalJSON encodes v with sorted keys, without HTML escapes and without a
// final newline. It is the form that every digest is made of. v must be
// encodable; a value that is not is a programming error and panics.
func CanonicalJSON(v any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("engine: value cannot be encoded: %v", err))
	}
	return bytes.TrimRight(buf.Bytes(), "\n")
}

// Digest is the SHA-256 of the canonical JSON of v, lower-case hex.
func Digest(v any) string {
	sum := sha256.Sum256(CanonicalJSON(v))
	return hex.EncodeToString(sum[:])
}

// Normalize turns what encoding/json gives (json.Number, float64) into the
// types of [Value]: whole numbers become int64, {"$secret": …} becomes a Secret.
func Normalize(v any) Value {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, err := v.Float64()
		if err != nil { // out of range: kept as it was written
			return v.String()
		}
		return f
	case float64:
		if i := int64(v); float64(i) == v {
			return i
		}
		return v
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = Normalize(e)
		}
		return out
	case map[string]any:
		if h, ok := v[secretKey].(string); ok && len(v) == 1 {
			return Secret{hash: h}
		}
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = Normalize(e)
		}
		return out
	}
	return v
}
