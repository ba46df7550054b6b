package engine

// FactsVersion is the format of discovered.json.
const FactsVersion = "1.0"

// Discovered is the document discovered.json: facts about artifacts, written
// only by discovery, rebuildable at any time, without timestamps and without
// configuration. Artifacts are sorted by source, revision, path.
type Discovered struct {
	FormatVersion string     `json:"format_version"`
	Artifacts     []Artifact `json:"artifacts"`
}

// Artifact is model weights where they lie, identified by source and revision.
type Artifact struct {
	Source   string `json:"source"`             // hf://org/name, file:///abs/path, ollama://tag
	Revision string `json:"revision,omitempty"` // commit, or the manifest digest of an Ollama tag
	Facts
}

// Facts are what was read about an artifact. A zero field is unknown. Evidence
// maps a field to the file and key that it was read from.
type Facts struct {
	Path          string            `json:"path,omitempty"` // absolute; what a backend is given
	Kind          string            `json:"kind,omitempty"` // directory, hf_snapshot, ollama
	Format        string            `json:"format,omitempty"`
	Quantization  string            `json:"quantization,omitempty"`
	Architecture  string            `json:"architecture,omitempty"`
	ContextLength int64             `json:"context_length,omitempty"` // tokens
	Parameters    int64             `json:"parameters,omitempty"`
	WeightBytes   int64             `json:"weight_bytes,omitempty"`
	Capabilities  map[string]bool   `json:"capabilities,omitempty"`
	ChatTemplate  string            `json:"chat_template,omitempty"` // "sha256:<hex> <file>"
	Tokenizer     string            `json:"tokenizer,omitempty"`     // file
	License       string            `json:"license,omitempty"`
	Complete      bool              `json:"complete"`
	Problems      []string          `json:"problems,omitempty"`
	Evidence      map[string]string `json:"evidence,omitempty"`
}
