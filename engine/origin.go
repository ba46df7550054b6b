package engine

import (
	"cmp"
	"encoding/json"
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
type Pos struct{ Line, Column, Byte int }

// Origin says where a value was written: layer, name of the block, file and
// range. File is relative to the configuration directory. In JSON it is flat:
// {layer, block, file, line, column}.
type Origin struct {
	Layer      LayerKind
	Block      string // name of the block; of a fact the place it was read from
	File       string
	Start, End Pos
}

// originJSON is the form of an Origin in documents.
type originJSON struct {
	Layer  LayerKind `json:"layer"`
	Block  string    `json:"block,omitempty"`
	File   string    `json:"file,omitempty"`
	Line   int       `json:"line,omitempty"`
	Column int       `json:"column,omitempty"`
}

// MarshalJSON writes the flat form.
func (o Origin) MarshalJSON() ([]byte, error) {
	return json.Marshal(originJSON{o.Layer, o.Block, o.File, o.Start.Line, o.Start.Column})
}

// UnmarshalJSON reads the flat form; bytes and the end are not in it.
func (o *Origin) UnmarshalJSON(b []byte) error {
	var f originJSON
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	*o = Origin{Layer: f.Layer, Block: f.Block, File: f.File, Start: Pos{Line: f.Line, Column: f.Column}}
	return nil
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
