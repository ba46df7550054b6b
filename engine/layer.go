package engine

// Assignment is one value that a layer gives to one field. An object that was
// written literally is one assignment per leaf, each with its own origin; a
// computed one is flattened too, with the origin of the expression. A nil Value
// is an explicit null: it unsets the field and everything under it in the
// layers below. An empty object is a leaf.
type Assignment struct {
	Path   string
	Value  Value
	Origin Origin
}

// Layer is all that one layer says about one model: sorted by Path, each path
// once, no path under another one.
type Layer []Assignment

// Declared is one model as the configuration declares it: its layers, weakest
// first (backend, model, profile, serve), before facts are added and before
// anything is merged. Layers may be shared between models and are never edited.
type Declared struct {
	Name   string
	Served bool   // the workspace serves it (enabled serve block)
	Origin Origin // the model block
	Serve  Origin // the serve block; zero when not served
	Layers []Layer
}
