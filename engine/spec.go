package engine

import (
	"fmt"
	"time"
)

// defaults is the weakest layer of every served model.
var defaults = Layer{
	{Path: "host", Value: "127.0.0.1", Origin: Origin{Layer: LayerDefault}},
	{Path: "lifecycle.on_failure", Value: string(Restore), Origin: Origin{Layer: LayerDefault}},
	{Path: "lifecycle.probe", Value: string(ProbeGenerate), Origin: Origin{Layer: LayerDefault}},
	{Path: "lifecycle.start_timeout", Value: "20m", Origin: Origin{Layer: LayerDefault}},
	{Path: "lifecycle.stop_timeout", Value: "30s", Origin: Origin{Layer: LayerDefault}},
}

// specOf makes the typed view of merged leaves. The language has checked the
// types; what is wrong all the same is a problem, never a silent zero.
func specOf(name string, leaves []Leaf) (Spec, []Problem) {
	r := specReader{model: name, spec: Spec{ServedName: name, Lifecycle: Lifecycle{
		StartTimeout: DefaultStartTimeout, StopTimeout: DefaultStopTimeout, OnFailure: Restore, Probe: ProbeGenerate,
	}}}
	for i := range leaves {
		if leaves[i].Value != nil {
			r.read(&leaves[i])
		}
	}
	return r.spec, r.problems
}

type specReader struct {
	model    string
	spec     Spec
	problems []Problem
}

func (r *specReader) read(l *Leaf) {
	s := &r.spec
	switch root := Root(l.Path); root {
	case "source":
		s.Source = take[string](r, l)
	case "backend":
		s.Backend = take[string](r, l)
	case "served_name":
		s.ServedName = take[string](r, l)
	case "host":
		s.Host = take[string](r, l)
	case "url":
		s.URL = take[string](r, l)
	case "chat_template":
		s.ChatTemplate = take[string](r, l)
	case "keep_alive":
		s.KeepAlive = take[string](r, l)
	case "license":
		s.License = take[string](r, l)
	case "port":
		s.Port = int(take[int64](r, l))
	case "memory":
		s.Memory = take[int64](r, l)
	case "testing":
		s.Testing = take[bool](r, l)
	case "deprecated":
		s.Deprecated = take[bool](r, l)
	case "aliases":
		s.Aliases = r.strings(l)
	case "gpus":
		s.GPUs = r.strings(l)
	case "command":
		s.Command = r.strings(l)
	case "extra_args":
		s.ExtraArgs = r.strings(l)
	case "args":
		insert(&s.Args, l)
	case "env":
		insert(&s.Env, l)
	case "generation":
		insert(&s.Generation, l)
	case "roles":
		put(&s.Roles, r, l)
	case "capabilities":
		put(&s.Capabilities, r, l)
	case "lifecycle":
		r.lifecycle(l)
	}
}

func (r *specReader) lifecycle(l *Leaf) {
	c := &r.spec.Lifecycle
	switch l.Path {
	case "lifecycle.prevent_stop":
		c.PreventStop = take[bool](r, l)
	case "lifecycle.start_timeout":
		c.StartTimeout = r.duration(l)
	case "lifecycle.stop_timeout":
		c.StopTimeout = r.duration(l)
	case "lifecycle.on_failure":
		c.OnFailure = OnFailure(r.oneOf(l, string(Restore), string(Leave)))
	case "lifecycle.probe":
		c.Probe = Probe(r.oneOf(l, string(ProbeGenerate), string(ProbeModels)))
	}
}

// take asserts the type of a leaf.
func take[T any](r *specReader, l *Leaf) T {
	v, ok := l.Value.(T)
	if !ok {
		r.wrong(l, fmt.Sprintf("%s must be a %T", l.Path, v))
	}
	return v
}

func (r *specReader) wrong(l *Leaf, summary string) {
	r.problems = append(r.problems, Problem{
		Severity: SeverityError, Code: "wrong_type", Model: r.model, Path: l.Path, Origin: l.Origin,
		Summary: summary, Detail: "The value is " + FormatValue(l.Value) + ".",
	})
}

func (r *specReader) strings(l *Leaf) []string {
	list, ok := l.Value.([]any)
	out := make([]string, len(list))
	for i, v := range list {
		s, isString := v.(string)
		ok = ok && isString
		out[i] = s
	}
	if !ok {
		r.wrong(l, l.Path+" must be a list of strings")
	}
	return out
}

func (r *specReader) duration(l *Leaf) time.Duration {
	d, err := time.ParseDuration(take[string](r, l))
	if err != nil || d <= 0 {
		r.wrong(l, l.Path+" must be a duration such as \"90s\" or \"20m\"")
	}
	return d
}

func (r *specReader) oneOf(l *Leaf, choices ...string) string {
	v := take[string](r, l)
	for _, c := range choices {
		if v == c {
			return v
		}
	}
	r.wrong(l, fmt.Sprintf("%s must be one of %q", l.Path, choices))
	return choices[0]
}

// insert puts a leaf of an object attribute at its place in the nested map.
func insert(m *map[string]any, l *Leaf) {
	if *m == nil {
		*m = map[string]any{}
	}
	if keys := SplitPath(l.Path)[1:]; len(keys) > 0 { // none: the object itself, empty
		nest(*m, keys, l.Value)
	}
}

// put sets one key of a flat, typed object attribute.
func put[T any](m *map[string]T, r *specReader, l *Leaf) {
	if *m == nil {
		*m = map[string]T{}
	}
	if keys := SplitPath(l.Path); len(keys) == 2 {
		(*m)[keys[1]] = take[T](r, l)
	}
}
