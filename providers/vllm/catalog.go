package vllm

import (
	_ "embed" // the flags
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/loadoutdev/loadout/engine"
)

// Version is the release of vLLM whose flags are known here.
const Version = "0.32.0"

// Kind says how a flag takes its value.
type Kind string

// Kinds of flags.
const (
	KindValue  Kind = "value"   // --x V
	KindList   Kind = "list"    // --x V V …
	KindRepeat Kind = "repeat"  // --x V --x V …
	KindSwitch Kind = "switch"  // --x or --no-x
	KindOnOnly Kind = "on_only" // --x; there is no --no-x
)

// Type is what a value must be.
type Type string

// Types of values. A size is a whole number or text such as 1k (1000), 1K
// (1024) or 25.6k.
const (
	TypeString       Type = "string"
	TypeInteger      Type = "integer"
	TypeNumber       Type = "number"
	TypeSize         Type = "size"
	TypeSizeOrAuto   Type = "size_or_auto" // or -1, or "auto"
	TypeJSON         Type = "json"
	TypeJSONOrString Type = "json_or_string"
)

// Flag is one flag of "vllm serve".
type Flag struct {
	Name    string   `json:"name"` // snake_case, without dashes
	Kind    Kind     `json:"kind"`
	Type    Type     `json:"type"`    // empty for switches
	Also    []string `json:"also"`    // other spellings on the command line
	Choices []any    `json:"choices"` // nil: any
	Default any      `json:"default"` // nil: decided by vLLM when it starts
}

// catalog is the set of known flags.
type catalog struct {
	byName     map[string]*Flag
	bySpelling map[string]spelling // as on the command line, with hyphens
	names      []string            // sorted
}

// spelling is one way to write a flag.
type spelling struct {
	flag    *Flag
	negated bool
}

//go:embed flags-0.32.0.json
var flagsJSON []byte

// flags parses the catalog once; it is only read.
var flags = sync.OnceValue(func() *catalog {
	var list []*Flag
	if err := json.Unmarshal(flagsJSON, &list); err != nil {
		panic(fmt.Sprintf("vllm: embedded flags: %v", err))
	}
	c := &catalog{byName: map[string]*Flag{}, bySpelling: map[string]spelling{}}
	for _, f := range list {
		c.add(f)
	}
	slices.Sort(c.names)
	return c
})

func (c *catalog) add(f *Flag) {
	f.Default = engine.Normalize(f.Default)
	for i := range f.Choices {
		f.Choices[i] = engine.Normalize(f.Choices[i])
	}
	c.byName[f.Name] = f
	c.names = append(c.names, f.Name)
	c.bySpelling[f.word()] = spelling{flag: f}
	for _, s := range f.Also {
		c.bySpelling[s] = spelling{flag: f}
	}
	if f.Kind == KindSwitch {
		c.bySpelling[f.negation()] = spelling{flag: f, negated: true}
	}
}

// word is the flag as vLLM documents it: --max-model-len.
func (f *Flag) word() string { return "--" + kebab(f.Name) }

func (f *Flag) negation() string { return "--no-" + kebab(f.Name) }

func kebab(s string) string { return strings.ReplaceAll(s, "_", "-") }

// key finds a flag by a key of args. Keys are written one way only; alias is
// the name under which the flag should have been given, when the key is another
// spelling of one.
func (c *catalog) key(key string) (f *Flag, alias string) {
	if f := c.byName[key]; f != nil {
		return f, ""
	}
	for _, s := range []string{"--" + kebab(key), "-" + key} {
		if hit, ok := c.bySpelling[s]; ok && !hit.negated {
			return nil, hit.flag.Name
		}
	}
	return nil, ""
}

// abbreviated finds the one flag of which the spelling is the beginning: vLLM's
// parser would take it silently.
func (c *catalog) abbreviated(spelled string) *Flag {
	var hit *Flag
	for s, f := range c.bySpelling {
		if len(spelled) > 3 && strings.HasPrefix(s, spelled) {
			if hit != nil && hit != f.flag {
				return nil
			}
			hit = f.flag
		}
	}
	return hit
}
