package engine

import (
	"context"
	"errors"
	"time"
)

// Provider runs models on one kind of backend. Render and Effect are pure;
// Inspect looks and changes nothing; Start and Stop are the effects. All
// methods may be called from several goroutines.
type Provider interface {
	// Render turns a served model into what the backend will be told, and
	// checks everything that can be known without the host: unknown arguments,
	// wrong types, settings that this backend cannot honor. With an error
	// among the problems the Launch must not be used.
	Render(m *Model, env RenderEnv) (Launch, []Problem)

	// Effect says what it costs to change the field.
	Effect(path string) Effect

	// Inspect finds out what an instance is doing now. An instance of which
	// only Token (and Launch) is known, because a run was killed before it could
	// record more, is looked for by its token; one with only a Pid is a stranger
	// that is to be adopted. Not being there is no error: State is StateGone.
	Inspect(ctx context.Context, in Instance, opt InspectOptions) (Live, error)

	// Start starts a launch and returns when it is ready, has failed or ctx is
	// done; in the last two cases nothing of it is left running. The instance
	// is reported through opt.Started as soon as it can be recognized (before
	// it is ready), so that it can be recorded. A failure is a *StartError.
	Start(ctx context.Context, l Launch, opt StartOptions) (Instance, error)

	// Stop ends an instance and returns when it is gone: no process of its
	// session left, port free. Gone already is success. A process that is not
	// provably the instance is never signaled.
	Stop(ctx context.Context, in Instance, opt StopOptions) error
}

// RenderEnv is what Render may know besides the model.
type RenderEnv struct {
	GPUs []GPU // of the workspace
}

// InspectOptions tell Inspect how hard to look.
type InspectOptions struct {
	StateDir string
	// Generate asks for one token, which alone tells a hung engine from a good one.
	Generate bool
	Timeout  time.Duration // for each question; default 5 s
}

// StartOptions carry the identity of a launch and the way to report.
type StartOptions struct {
	Model    string
	ID       string
	Token    string
	StateDir string // absolute
	LogPath  string // relative to StateDir
	Dir      string // launch directory, relative to StateDir; made by Start
	Timeout  time.Duration
	Stop     time.Duration // patience when a failed start must be cleaned up
	Probe    Probe
	// Devices gives the UUID of a GPU by the id that Launch.GPUs uses, as far as
	// the host told. It is no part of the launch, so that a host without
	// nvidia-smi plans the same.
	Devices map[string]string
	// Environ is the host's environment (NAME=value) from which a process gets
	// what was not declared; nil: that of Loadout itself. A launch that is put back
	// gets what it had, whoever typed the command.
	Environ  []string
	Expect   time.Duration        // how long an earlier start took; 0: unknown
	Started  func(Instance) error // an error aborts the start
	Progress func(Progress)
}

// StopOptions for Stop.
type StopOptions struct {
	StateDir string
	Timeout  time.Duration // between TERM and KILL
	Progress func(Progress)
}

// Progress is one step of a start or stop, in the backend's own words.
type Progress struct {
	Phase    string  // "loading weights", "capturing graphs", "pulling layer 6a07…"
	Fraction float64 // 0…1; negative when unknown
}

// StartError is a start that failed, with the cause found in the log of this
// launch.
type StartError struct {
	Class  string // out_of_memory, kv_cache, port, argument, missing_file, remote_code, exited, timeout, wrong_model, …
	Cause  string // one line in the backend's words
	Hint   string // what to change; may be empty
	Field  string // path of the field to change; may be empty
	Log    string // log file, relative to the state directory
	Status string // exit status, or "alive"
}

func (e *StartError) Error() string {
	if e.Hint == "" {
		return e.Cause
	}
	return e.Cause + " (" + e.Hint + ")"
}

// ErrForeign is returned by Stop for a process that is not the instance.
var ErrForeign = errors.New("the process is not ours")

// Adopter is implemented by providers that can take over what somebody else
// started: pid names the leader, or 0 for a service that is asked by name.
type Adopter interface {
	Adopt(ctx context.Context, l Launch, pid int, opt InspectOptions) (Instance, error)
}

// MemoryEstimator is implemented by providers that know how much memory per GPU
// a launch will take. ok is false when it cannot be known.
type MemoryEstimator interface {
	Memory(m *Model, gpu GPU) (bytes int64, ok bool)
}

// Excluder is implemented by providers of services in which two launches can
// stand in each other's way although both are right.
type Excluder interface {
	// Exclude says in one line why a and b cannot both stay loaded; empty when
	// they can. Both are of one service and one set of weights.
	Exclude(a, b *Launch) string
}

// Updater is implemented by providers that can change a running instance
// without a restart (fields whose Effect is EffectReload).
type Updater interface {
	Update(ctx context.Context, old Instance, l Launch, opt StartOptions) (Instance, error)
}

// Revealer is implemented by providers that can read the environment of a
// running instance. It is how secrets, of which the snapshot has only hashes,
// are at hand when a previous launch must be put back.
type Revealer interface {
	Reveal(ctx context.Context, in Instance) (map[string]string, error)
}

// Preflighter is implemented by providers that can tell, before anything is
// stopped for it, that a start cannot work.
type Preflighter interface {
	// Preflight looks and changes nothing. ending are the instances that will be
	// stopped before the start: what they hold counts as free. Of opt, what names
	// one launch (ID, Token, LogPath, Dir) is empty. A failure is a *StartError;
	// nil promises nothing about what only the start itself can show.
	Preflight(ctx context.Context, l Launch, ending []Instance, opt StartOptions) error
}

// Sweeper is implemented by providers that keep a directory for each launch.
type Sweeper interface {
	// Sweep removes the directories below root that belong to no launch in keep
	// (names, not paths) and that no living process uses. A root that does not
	// exist holds none.
	Sweep(root string, keep []string) error
}
