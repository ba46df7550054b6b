package engine

import "time"

// Leaf is one merged field with where it comes from and what it overrode,
// strongest loser first. A Leaf whose Value is nil was unset by an explicit
// null: it is kept so that it can be explained.
type Leaf struct {
	Path      string
	Value     Value
	Origin    Origin
	Overrides []Override
}

// Override is a value that lost.
type Override struct {
	Value  Value  `json:"value"`
	Origin Origin `json:"origin"`
}

// Model is one model of the desired state: complete, plain, comparable. Leaves
// is the truth, sorted by path; Spec is the same, typed.
type Model struct {
	Name   string
	Served bool
	Origin Origin // the model block
	Serve  Origin // the serve block
	Leaves []Leaf
	Spec
}

// Spec is the typed view of a model that providers read.
type Spec struct {
	Source       string // as written: hf://org/name@rev, file:///…, ollama://tag
	Backend      string
	ServedName   string // never empty
	Aliases      []string
	Roles        map[string]int64
	Capabilities map[string]bool
	Host         string // never empty; 127.0.0.1 by default
	Port         int    // 0: none
	GPUs         []string
	Command      []string
	URL          string
	Args         map[string]any
	ExtraArgs    []string
	Env          map[string]any // string or Secret
	ChatTemplate string         // the text itself: the language has read the file
	Generation   map[string]any
	KeepAlive    string
	License      string
	Memory       int64 // bytes per GPU; 0: not declared
	Testing      bool
	Deprecated   bool
	Lifecycle    Lifecycle
	Facts        Facts
}

// Lifecycle of a served model.
type Lifecycle struct {
	PreventStop  bool
	StartTimeout time.Duration // default 20m
	StopTimeout  time.Duration // default 30s
	OnFailure    OnFailure     // default restore
	Probe        Probe         // default generate
}

// OnFailure says what happens when a restarted model does not become healthy.
type OnFailure string

// Choices of on_failure.
const (
	Restore OnFailure = "restore" // put the previous launch back
	Leave   OnFailure = "leave"   // leave it stopped
)

// Probe says how readiness is proved beyond a listening socket of the right
// process that names the model.
type Probe string

// Choices of probe.
const (
	ProbeGenerate Probe = "generate" // one token
	ProbeModels   Probe = "models"   // the model is listed; no token
)

// Defaults of Lifecycle.
const (
	DefaultStartTimeout = 20 * time.Minute
	DefaultStopTimeout  = 30 * time.Second
)

// Leaf finds a leaf by path.
func (m *Model) Leaf(path string) (Leaf, bool) {
	lo, hi := 0, len(m.Leaves)
	for lo < hi {
		mid := (lo + hi) / 2
		if m.Leaves[mid].Path < path {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(m.Leaves) && m.Leaves[lo].Path == path {
		return m.Leaves[lo], true
	}
	return Leaf{}, false
}

// OriginOf is the place of a field, of the nearest field above it or under it,
// or of the serve or model block: what a message about the field should show.
func (m *Model) OriginOf(path string) Origin {
	for _, l := range m.Leaves {
		if Under(l.Path, path) || Under(path, l.Path) {
			return l.Origin
		}
	}
	if a, ok := LookupAttribute(Root(path)); ok && a.In == InServe && m.Serve.File != "" {
		return m.Serve
	}
	return m.Origin
}
