package engine

import (
	"cmp"
	"fmt"
)

// LayerKind says which of the layers gave a value. Later kinds win over earlier
// ones; the order of the constants is the precedence.
type LayerKind string

// The layers, weakest first.
const (
	LayerDefault    LayerKind = "default"    // built into Loadout
	LayerDiscovered LayerKind = "discovered" // facts read from disk
	LayerBackend    LayerKind = "backend"    // backend block
	LayerModel      LayerKind = "model"      // model block
	LayerProfile    LayerKind = "profile"    // profile block that the workspace chose
	LayerServe      LayerKind = "serve"      // serve block of the workspace
)

// Pos is a place in a file. Line and Column count from 1, Column in characters,
// Byte from 0. The zero Pos is "unknown".
type Pos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

// Origin says where a value was written: layer, name of the block, file and
// range. File is relative to the configuration directory.
type Origin struct {
	Layer LayerKind `json:"layer"`
	Block string    `json:"block,omitempty"` // name of the block or artifact
	File  string    `json:"file,omitempty"`
	Start Pos       `json:"start,omitzero"`
	End   Pos       `json:"-"`
}

// Place is file:line, or the best that is known.
func (o Origin) Place() string {
	switch {
	case o.File == "":
		return string(o.Layer)
	case o.Start.Line == 0:
		return o.File
	}
	return fmt.Sprintf("%s:%d", o.File, o.Start.Line)
}

func (o Origin) compare(p Origin) int {
	return cmp.Or(cmp.Compare(o.File, p.File), cmp.Compare(o.Start.Byte, p.Start.Byte))
}
