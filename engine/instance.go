package engine

import "time"

// Instance is a model that Loadout started (or adopted): what is needed to
// recognize it from any shell after any crash, and nothing that is secret.
type Instance struct {
	Model        string `json:"model"`
	Backend      string `json:"backend"`
	ID           string `json:"id"`    // number of the launch of this model: "1", "2", …
	Token        string `json:"token"` // LOADOUT_INSTANCE in the leader's environment; empty when adopted
	Launch       Launch `json:"launch"`
	LaunchDigest string `json:"launch_digest"`

	// Of a process. Session and group id equal Pid: the leader is started in a
	// session of its own.
	Pid       int    `json:"pid,omitempty"`
	StartTime uint64 `json:"start_time,omitempty"` // clock ticks since boot, /proc/PID/stat field 22
	BootID    string `json:"boot_id,omitempty"`
	Log       string `json:"log,omitempty"` // relative to the state directory
	Dir       string `json:"dir,omitempty"` // launch directory, relative to the state directory

	// Of a model inside a service (Ollama).
	Digest string `json:"digest,omitempty"` // manifest digest

	// Fingerprint of the artifact's files (sizes, times, inodes) at launch.
	Artifact string `json:"artifact,omitempty"`

	StartedAt    time.Time `json:"started_at"`
	ReadySeconds float64   `json:"ready_seconds,omitempty"` // from start to ready; 0: never timed
	TokenSeconds float64   `json:"token_seconds,omitempty"` // how long the first token took; 0: none was asked for
	MemoryBytes  int64     `json:"memory_bytes,omitempty"`  // GPU memory seen when ready; 0: unknown
	Adopted      bool      `json:"adopted,omitempty"`
}

// State of a live instance.
type State string

// States. Only StateReady serves.
const (
	StateReady    State = "ready"
	StateStarting State = "starting" // alive, not answering yet
	StateHung     State = "hung"     // answers, but cannot generate in time
	StateWrong    State = "wrong"    // answers, but not our model, or not from our process
	StateGone     State = "gone"
	StateOrphan   State = "orphan" // leader gone, children of its session still there
	// StateForeign: somebody else's thing is in its place. It is never touched;
	// Detail says what to do.
	StateForeign State = "foreign"
	StateUnknown State = "unknown" // could not be looked at; Detail says why
)

// Live is what a provider saw of an instance.
type Live struct {
	Instance          // as found: pid, start time completed when found by token
	State    State    `json:"state"`
	Detail   string   `json:"detail,omitempty"` // one line for people
	Argv     []string `json:"argv,omitempty"`   // of the running leader
	Served   []string `json:"served,omitempty"` // names that the server lists
	// Fields are values read back from what runs, by field path
	// (args.max_model_len): compared with what was launched, shown by explain.
	Fields map[string]Value `json:"fields,omitempty"`
	// Mismatches are differences between what was launched and what runs.
	Mismatches []Mismatch `json:"mismatches,omitempty"`
}

// Mismatch is one observed difference between launch and live.
type Mismatch struct {
	Code     ReasonCode `json:"code"` // process_differs, answers_differently, artifact_changed
	Path     string     `json:"path"`
	Snapshot Value      `json:"snapshot"`
	Live     Value      `json:"live"`
}

// Op is an effect that the journal announces before it happens.
type Op string

// Operations.
const (
	OpStart  Op = "start"
	OpStop   Op = "stop"
	OpUpdate Op = "update" // change of the record, or a reload
	OpForget Op = "forget"
	OpAdopt  Op = "adopt"
)

// Unfinished is an operation whose intent is in the journal and whose result is
// not: the run that announced it was killed. What came of it is found by
// looking, never by guessing: a start carries the token (and, when it came so
// far, the pid) by which its process is recognized.
type Unfinished struct {
	Op       Op       `json:"op"`
	Model    string   `json:"model"`
	Instance Instance `json:"instance"`
}

// Observed is the live world as Observe saw it: one Live for each recorded
// instance, by model, and one for each unfinished start.
type Observed struct {
	Recorded   map[string]Live
	Unfinished []Live
}
