package engine

// Type of an attribute of a model.
type Type string

// Attribute types. An object's keys are free; its values are checked by the
// provider (args) or are strings (env).
const (
	TypeString  Type = "string"
	TypeInt     Type = "whole number"
	TypeBool    Type = "bool"
	TypeStrings Type = "list of strings"
	TypeObject  Type = "object"
	TypeBytes   Type = "size (\"16GiB\" or bytes)"
	TypeTime    Type = "duration (\"90s\", \"20m\")"
)

// Effect says what a changed field costs.
type Effect string

// Effects, cheapest first.
const (
	EffectHot     Effect = "hot"     // only the snapshot is rewritten
	EffectReload  Effect = "reload"  // the backend takes it without a restart
	EffectRestart Effect = "restart" // the process must be started again
	EffectReplace Effect = "replace" // another backend or other weights: a different thing
)

// Blocks in which an attribute may be written.
type Blocks uint8

// Where an attribute is allowed.
const (
	InBackend Blocks = 1 << iota
	InModel
	InProfile
	InServe
)

// Attribute describes one attribute of a model: the one table that the
// language, the merge, the diff and the documentation read.
type Attribute struct {
	Name   string
	Type   Type
	In     Blocks
	Effect Effect // what a change costs unless the provider says otherwise
	Doc    string
}

// Attributes of a model, sorted by name. Facts that were discovered stand under
// "facts" and cannot be written.
var Attributes = []Attribute{
	{"aliases", TypeStrings, InModel | InServe, EffectHot, "Further names the model answers to."},
	{"args", TypeObject, InBackend | InModel | InProfile | InServe, EffectRestart, "Arguments of the backend, by flag name in snake_case. null unsets."},
	{"backend", TypeString, InModel, EffectReplace, "Name of the backend that runs the model."},
	{"capabilities", TypeObject, InModel, EffectHot, "What the model can do (bool each): overrides what was discovered."},
	{"chat_template", TypeString, InModel | InServe, EffectRestart, "Path of a chat template, or its text."},
	{"command", TypeStrings, InBackend, EffectRestart, "How the backend's server is started."},
	{"deprecated", TypeBool, InModel, EffectHot, "Shown in lists; nothing else."},
	{"env", TypeObject, InBackend | InModel | InProfile | InServe, EffectRestart, "Environment of the process (strings; may be sensitive)."},
	{"extra_args", TypeStrings, InModel | InServe, EffectRestart, "Raw arguments, appended as they are."},
	{"generation", TypeObject, InModel | InServe, EffectRestart, "Sampling defaults: temperature, top_p, top_k, …"},
	{"gpus", TypeStrings, InServe, EffectRestart, "GPUs of the workspace, by their label."},
	{"host", TypeString, InServe, EffectRestart, "Address to listen on. Default 127.0.0.1."},
	{"keep_alive", TypeString, InBackend | InModel | InServe, EffectReload, "How long an Ollama model stays loaded. Default forever."},
	{"license", TypeString, InModel, EffectHot, "License of the weights: overrides what was discovered."},
	{"lifecycle", TypeObject, InModel | InServe, EffectHot, "prevent_stop, start_timeout, stop_timeout, on_failure, probe."},
	{"memory", TypeBytes, InModel | InServe, EffectHot, "GPU memory the model takes, per GPU: overrides the estimate."},
	{"port", TypeInt, InServe, EffectRestart, "TCP port to serve on."},
	{"roles", TypeObject, InModel | InServe, EffectHot, "Role to priority (whole number): the higher one wins."},
	{"served_name", TypeString, InModel | InServe, EffectRestart, "Name the model answers to. Default: the model's name."},
	{"source", TypeString, InModel, EffectReplace, "Where the weights are: file://, hf://org/name@rev, ollama://tag."},
	{"testing", TypeBool, InModel, EffectHot, "Marks a model that is for tests only."},
	{"url", TypeString, InBackend, EffectReplace, "Base URL of a backend that is a service of its own (Ollama)."},
}

// LookupAttribute finds an attribute by name.
func LookupAttribute(name string) (Attribute, bool) {
	for _, a := range Attributes {
		if a.Name == name {
			return a, true
		}
	}
	return Attribute{}, false
}

// LifecycleKeys are the keys that a lifecycle block may set, with their types.
var LifecycleKeys = map[string]Type{
	"prevent_stop":  TypeBool,
	"start_timeout": TypeTime,
	"stop_timeout":  TypeTime,
	"on_failure":    TypeString,
	"probe":         TypeString,
}
