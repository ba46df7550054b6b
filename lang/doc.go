// Package lang is the language: it turns the files of a directory (HCL native
// and JSON syntax) into the declarations of [engine.Config], every expression
// evaluated and every value with the place where it was written.
//
// The way of the data is one line: files are found (files.go), parsed
// (parse.go), decoded into blocks by one table of what exists (schema.go,
// section.go, document.go), evaluated in a scope (scope.go, headers.go,
// funcs.go) and written out as layers (form.go, models.go, workspace.go). All
// mistakes are reported at once as diagnostics with their place.
//
// It never writes anything, never asks the network, the clock or a GPU, never
// merges layers, and does not know what a backend can do. No HCL type leaves
// this package except diagnostics and the parsed files that show their
// snippets.
package lang
