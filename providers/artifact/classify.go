package artifact

import "strings"

// kind of a directory as the scan sees it.
type dirKind int

const (
	container dirKind = iota // holds no model itself; look below
	model                    // a safetensors model; what lies below belongs to it
	closed                   // something else whose folders are no models of their own
)

// classify decides what a directory is from the names in it and, when it has
// one, from config.json.
//
//   - model_index.json: a diffusers pipeline, whose folders are its parts
//   - config.json of a transformers model: a model, even when weights are missing,
//     unless its weights are GGUF files or those of an adapter
//   - params.json and consolidated*.safetensors: a model in Mistral's own layout
//   - model*.safetensors alone: a model that lost its config.json
func classify(d *folder) dirKind {
	switch {
	case d.has("model_index.json"):
		return closed
	case d.has("config.json"):
		return classifyConfig(d)
	case d.has("params.json") && len(d.match(isConsolidated)) > 0, len(d.match(isModelShard)) > 0:
		return model
	}
	return container
}

func classifyConfig(d *folder) dirKind {
	top, err := d.object("config.json")
	switch whole := hasWeights(d); {
	case err == nil && !newConfig(top).isModel():
		return container
	case whole:
		return model
	case err != nil, d.has("adapter_config.json"), len(d.match(hasSuffix(".gguf"))) > 0:
		return container
	}
	return model
}

func isConsolidated(name string) bool {
	return strings.HasPrefix(name, consolidated) && strings.HasSuffix(name, ".safetensors")
}

// isModelShard accepts the names that transformers gives to whole models;
// adapters, encoders and image models are named differently.
func isModelShard(name string) bool {
	return name == "model.safetensors" || name == modelIndex ||
		strings.HasPrefix(name, "model-0") && shardName.MatchString(name)
}
