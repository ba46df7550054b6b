package view

import (
	"encoding/json"
	"io"
)

// FormatVersion is the format of the JSON documents that are not plans or
// snapshots. Within a major version fields are added, never changed or removed.
const FormatVersion = "1.0"

// JSON writes any document indented, with sorted keys and without HTML escapes:
// what a program reads a person can read too.
func JSON(w io.Writer, doc any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}

// list makes a missing list an empty one: programs iterate without a check.
func list[T any](xs []T) []T {
	if xs == nil {
		return []T{}
	}
	return xs
}
