package engine

// PlanVersion is the format of a plan in JSON. Within a major version fields
// are added, never changed or removed.
const PlanVersion = "1.0"

// Action is what will be done about one model.
type Action string

// Actions.
const (
	ActionCreate  Action = "create"  // start it (or register it, when not served)
	ActionUpdate  Action = "update"  // change the record, or reload, without a restart
	ActionRestart Action = "restart" // stop and start, or start again
	ActionReplace Action = "replace" // stop, start on another backend or with other weights
	ActionStop    Action = "stop"    // stop and forget, or stop serving
	ActionForget  Action = "forget"  // drop the record, touch nothing
	ActionAdopt   Action = "adopt"   // record what runs already
	ActionNone    Action = "none"
)

// ReasonCode says why an action is needed.
type ReasonCode string

// Reason codes: a closed list, part of the JSON contract.
const (
	ReasonNew                ReasonCode = "new"
	ReasonRemoved            ReasonCode = "removed"
	ReasonConfigChanged      ReasonCode = "config_changed"
	ReasonFactsChanged       ReasonCode = "facts_changed"
	ReasonArtifactChanged    ReasonCode = "artifact_changed"
	ReasonProcessGone        ReasonCode = "process_gone"
	ReasonProcessDiffers     ReasonCode = "process_differs"
	ReasonAnswersDifferently ReasonCode = "answers_differently"
	ReasonHung               ReasonCode = "hung"
	ReasonUnfinished         ReasonCode = "unfinished"
	ReasonMoved              ReasonCode = "moved"
	ReasonAdopted            ReasonCode = "adopted"
	ReasonLockViolation      ReasonCode = "lock_violation"
)

// Reason is one cause of a change; Path names the field, where there is one.
type Reason struct {
	Code   ReasonCode `json:"code"`
	Path   string     `json:"path,omitempty"`
	Detail string     `json:"detail,omitempty"`
}

// MovedBy says who moved a field: the files, the world, or both.
type MovedBy string

// Who moved a field.
const (
	MovedByConfig MovedBy = "config"
	MovedByWorld  MovedBy = "world"
	MovedByBoth   MovedBy = "both"
)

// FieldChange is one field that differs.
type FieldChange struct {
	Path      string     `json:"path"`
	Before    Value      `json:"before"`
	After     Value      `json:"after"`
	Effect    Effect     `json:"effect"`
	MovedBy   MovedBy    `json:"moved_by"`
	Origin    Origin     `json:"origin"`
	Overrides []Override `json:"overrides"`
}

// Change is what will happen to one model and why. It is data: it can be saved,
// reviewed and compared.
type Change struct {
	Model     string        `json:"model"`
	Action    Action        `json:"action"`
	Reasons   []Reason      `json:"reasons"`
	Fields    []FieldChange `json:"fields"`
	Unchanged int           `json:"unchanged"` // fields that do not differ
	Served    bool          `json:"served"`
	From      string        `json:"from,omitempty"` // earlier name, when moved
	Backend   string        `json:"backend,omitempty"`
	GPUs      []string      `json:"gpus,omitempty"`
	Port      int           `json:"port,omitempty"`
	// Launch is the digest of what will be told to the backend; empty when
	// nothing is started.
	Launch string `json:"launch,omitempty"`
	// Downtime in seconds, from earlier starts; nil when never timed or when
	// nothing that serves is interrupted.
	Downtime *float64 `json:"downtime_seconds,omitempty"`
	// Interrupts: something that serves now will not, for a while or for good.
	Interrupts bool  `json:"interrupts"`
	FreesBytes int64 `json:"frees_bytes,omitempty"`
	NeedsBytes int64 `json:"needs_bytes,omitempty"`

	Desired *Model    `json:"-"` // nil when it goes
	Start   *Launch   `json:"-"` // what to start; nil when nothing is started
	Running *Instance `json:"-"` // what to stop first, adopt or forget; nil when nothing runs
	// Leftovers are further starts of an interrupted run that must be stopped
	// before anything else happens to the model.
	Leftovers []Instance `json:"-"`
	// Adopt is set when somebody else's server is to be taken over; Start then
	// says what it should have been told.
	Adopt    *Adoption `json:"-"`
	Previous *Entry    `json:"-"` // recorded entry
}

// DriftItem is one difference between the snapshot and what is live.
type DriftItem struct {
	Model    string     `json:"model"`
	Code     ReasonCode `json:"code"`
	Path     string     `json:"path,omitempty"`
	Snapshot Value      `json:"snapshot"`
	Live     Value      `json:"live"`
	Detail   string     `json:"detail,omitempty"`
}

// Unseen is an instance that could not be looked at, and why.
type Unseen struct {
	Model  string `json:"model"`
	Detail string `json:"detail"`
}

// GPUBudget is a GPU with its memory before and after the plan. Bytes are -1
// when unknown.
type GPUBudget struct {
	GPU
	After int64    `json:"after_bytes"`
	Users []string `json:"users,omitempty"` // models after the plan
}

// Summary counts changes by action.
type Summary struct {
	Create  int `json:"create"`
	Update  int `json:"update"`
	Restart int `json:"restart"`
	Replace int `json:"replace"`
	Stop    int `json:"stop"`
	Forget  int `json:"forget"`
	Adopt   int `json:"adopt"`
	None    int `json:"none"`
	Drift   int `json:"drift"`
}

// Changes is the number of models that change.
func (s Summary) Changes() int {
	return s.Create + s.Update + s.Restart + s.Replace + s.Stop + s.Forget + s.Adopt
}

// Plan is what apply will do. Changes are in the order of execution within a
// GPU: stops first, then the rest by name; unchanged models are only counted,
// unless asked for.
type Plan struct {
	FormatVersion string        `json:"format_version"`
	Workspace     string        `json:"workspace"`
	Serial        int64         `json:"serial"`  // of the snapshot that it starts from; 0: none yet
	Lineage       string        `json:"lineage"` // empty: no snapshot yet
	Digest        string        `json:"plan_digest"`
	Refreshed     bool          `json:"refreshed"`         // live state was looked at
	Destroy       bool          `json:"destroy,omitempty"` // nothing was desired: the end of everything
	Changes       []Change      `json:"changes"`
	Unchanged     []string      `json:"unchanged,omitempty"`
	Drift         []DriftItem   `json:"drift"`
	Unseen        []Unseen      `json:"unseen,omitempty"` // could not be looked at: believed to be as recorded
	GPUs          []GPUBudget   `json:"gpus"`
	Checks        []CheckResult `json:"checks"`
	Summary       Summary       `json:"summary"`
	Inputs        []Input       `json:"inputs"`
	Problems      []Problem     `json:"-"` // shown as diagnostics
}

// Empty tells whether there is nothing to do.
func (p *Plan) Empty() bool { return p.Summary.Changes() == 0 }
