package view

import (
	"maps"
	"slices"
)

// sortedKeys: nothing that is printed may depend on the order of a map.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
