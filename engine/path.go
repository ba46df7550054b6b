package engine

import (
	"slices"
	"strconv"
	"strings"
)

// A path names one field of a model, as people write it: args.max_model_len,
// env["A.B"]. Keys that are not identifiers are quoted in brackets.

// JoinPath appends key to the path base.
func JoinPath(base, key string) string {
	if !isIdentifier(key) {
		return base + "[" + strconv.Quote(key) + "]"
	}
	if base == "" {
		return key
	}
	return base + "." + key
}

// SplitPath is the inverse of JoinPath over all keys. A malformed path gives
// one key, the path itself.
func SplitPath(path string) []string {
	var keys []string
	for rest := path; rest != ""; {
		switch rest[0] {
		case '[':
			q, err := strconv.QuotedPrefix(rest[1:])
			if err != nil || !strings.HasPrefix(rest[1+len(q):], "]") {
				return []string{path}
			}
			key, _ := strconv.Unquote(q)
			keys = append(keys, key)
			rest = rest[len(q)+2:]
		case '.':
			rest = rest[1:]
			fallthrough
		default:
			n := strings.IndexAny(rest, ".[")
			if n < 0 {
				n = len(rest)
			}
			keys = append(keys, rest[:n])
			rest = rest[n:]
		}
	}
	return keys
}

// Under tells whether path is base or lies inside it.
func Under(path, base string) bool {
	return strings.HasPrefix(path, base) &&
		(len(path) == len(base) || path[len(base)] == '.' || path[len(base)] == '[')
}

// Root is the first key of a path: the attribute that it belongs to.
func Root(path string) string {
	if n := strings.IndexAny(path, ".["); n > 0 {
		return path[:n]
	}
	return path
}

func isIdentifier(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return true
}

// Flatten calls leaf for every scalar, list and empty object in v, in the order
// of sorted keys; a non-empty object is entered.
func Flatten(base string, v Value, leaf func(path string, v Value)) {
	m, ok := v.(map[string]any)
	if !ok || len(m) == 0 {
		leaf(base, v)
		return
	}
	for _, k := range sortedKeys(m) {
		Flatten(JoinPath(base, k), m[k], leaf)
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
