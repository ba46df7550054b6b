// Package providers lists the backends that this binary can drive. The list is
// explicit: nothing registers itself.
package providers

import (
	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/providers/ollama"
	"github.com/loadoutdev/loadout/providers/vllm"
)

// All returns the providers by backend name.
func All() map[string]engine.Provider {
	return map[string]engine.Provider{
		"ollama": ollama.New(),
		"vllm":   vllm.New(),
	}
}
