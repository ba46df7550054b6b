package engine

// Workspace is one GPU host: its GPUs and what it serves.
type Workspace struct {
	Name    string
	Profile string
	GPUs    []GPU
	Origin  Origin
}

// GPU as declared in the workspace and, where the host could be asked, as
// detected. Sizes are bytes; Used is -1 when unknown.
type GPU struct {
	ID       string `json:"id"` // label of the gpu block, an index or a UUID
	UUID     string `json:"uuid,omitempty"`
	Name     string `json:"name,omitempty"`
	Memory   int64  `json:"memory_bytes,omitempty"`
	Reserve  int64  `json:"reserve_bytes,omitempty"`
	Used     int64  `json:"used_bytes"`
	Detected bool   `json:"detected"`
	Origin   Origin `json:"-"`
}

// Move renames a model without touching what runs.
type Move struct {
	From, To string
	Origin   Origin
}

// Removal says what happens to a model whose block is gone.
type Removal struct {
	Model  string
	Stop   bool // false: forget it, leave it running
	Origin Origin
}

// Adoption takes over a running server.
type Adoption struct {
	Model  string
	Pid    int // 0: the backend is asked by name
	Origin Origin
}

// Backend is a backend that some block is written for.
type Backend struct {
	Name   string
	Origin Origin
}

// CheckResult is an evaluated check block.
type CheckResult struct {
	Name     string   `json:"name"`
	Passed   bool     `json:"passed"`
	Severity Severity `json:"severity"`
	Message  string   `json:"message,omitempty"`
	Origin   Origin   `json:"-"`
}

// Config is what the language gives to the engine: declarations only, every
// expression evaluated, nothing merged.
type Config struct {
	Workspace Workspace
	Models    []Declared // sorted by name
	Backends  []Backend  // sorted by place
	Moves     []Move
	Removals  []Removal
	Adoptions []Adoption
	Checks    []CheckResult
	Inputs    []Input  // files read, sorted by path
	Sensitive []string `json:"-"` // plain texts that no output may contain
}

// Input is a file that took part, with the SHA-256 of its bytes.
type Input struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}
