package lang

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/loadoutdev/loadout/engine"
)

// blockSpec says what may stand in a block: the one table that reading,
// suggestions and both syntaxes use.
type blockSpec struct {
	labels   []string // what each label is, for messages
	attrs    []string // sorted
	required []string
	blocks   map[string]*blockSpec
	single   bool // at most once in its parent
	free     bool // any attribute (locals)
}

// fileSpec is the top level of a file.
var fileSpec = &blockSpec{blocks: map[string]*blockSpec{
	"variable": {
		labels: []string{"name"},
		attrs:  []string{"default", "description", "nullable", "sensitive", "type"},
		blocks: map[string]*blockSpec{"validation": assertSpec},
	},
	"locals":  {free: true},
	"backend": {labels: []string{"kind"}, attrs: attributesIn(engine.InBackend)},
	"model": {
		labels: []string{"name"},
		attrs:  attributesIn(engine.InModel, "enabled", "for_each", "name"),
		blocks: map[string]*blockSpec{"lifecycle": lifecycleSpec},
	},
	"profile": {
		labels: []string{"name"},
		attrs:  attributesIn(engine.InProfile),
		blocks: map[string]*blockSpec{
			"backend": {labels: []string{"kind"}, attrs: attributesIn(engine.InProfile)},
		},
	},
	"workspace": {
		labels: []string{"name"},
		attrs:  []string{"profile"},
		blocks: map[string]*blockSpec{
			"gpu": {labels: []string{"id"}, attrs: []string{"memory", "reserve", "uuid"}},
			"serve": {
				labels: []string{"model"},
				attrs:  attributesIn(engine.InServe, "enabled", "for_each"),
				blocks: map[string]*blockSpec{"lifecycle": lifecycleSpec},
			},
		},
	},
	"check": {
		labels: []string{"name"},
		attrs:  []string{"severity"},
		blocks: map[string]*blockSpec{"assert": assertSpec},
	},
	"moved":    {attrs: []string{"from", "to"}, required: []string{"from", "to"}},
	"removed":  {attrs: []string{"from", "stop"}, required: []string{"from"}},
	"adopt":    {attrs: []string{"pid", "to"}, required: []string{"to"}},
	"discover": {attrs: []string{"hf_cache", "ollama", "paths"}, single: true},
}}

var assertSpec = &blockSpec{
	attrs:    []string{"condition", "error_message"},
	required: []string{"condition", "error_message"},
}

var lifecycleSpec = &blockSpec{attrs: slices.Sorted(maps.Keys(engine.LifecycleKeys)), single: true}

// attributesIn names the model attributes that may be written in a block, with
// those that only the language knows. lifecycle is a block, not an attribute.
func attributesIn(where engine.Blocks, more ...string) []string {
	names := more
	for _, a := range engine.Attributes {
		if a.In&where != 0 && a.Name != "lifecycle" {
			names = append(names, a.Name)
		}
	}
	slices.Sort(names)
	return names
}

// hclSchema is the same for the generic reader of HCL, which the JSON syntax
// needs.
func (b *blockSpec) hclSchema() *hcl.BodySchema {
	schema := &hcl.BodySchema{}
	for _, name := range b.attrs {
		schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: name})
	}
	for _, kind := range slices.Sorted(maps.Keys(b.blocks)) {
		schema.Blocks = append(schema.Blocks, hcl.BlockHeaderSchema{Type: kind, LabelNames: b.blocks[kind].labels})
	}
	return schema
}

// names are all attributes and blocks, for suggestions.
func (b *blockSpec) names() []string {
	return append(slices.Sorted(maps.Keys(b.blocks)), b.attrs...)
}
