package ollama

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/loadoutdev/loadout/engine"
)

// DefaultURL is where Ollama listens unless it is told otherwise.
const DefaultURL = "http://127.0.0.1:11434"

// rendering collects the problems of one model.
type rendering struct {
	m        *engine.Model
	problems []engine.Problem
}

// Render implements engine.Provider. A GPU that the model names counts for the
// memory budget only: which GPU is used is for the service to say, so it is no
// part of the launch.
func (p *Provider) Render(m *engine.Model, _ engine.RenderEnv) (engine.Launch, []engine.Problem) {
	r := &rendering{m: m}
	r.refuse()
	base, pin := r.source()
	l := engine.Launch{
		Backend: m.Backend, URL: r.url(), Model: base, Served: r.served(),
		Settings: r.settings(base).encode(),
	}
	if pin != "" {
		l.Artifact = "sha256:" + pin
	}
	r.baseName(l)
	return l, r.problems
}

// Effect implements engine.Provider.
func (p *Provider) Effect(path string) engine.Effect {
	switch engine.Root(path) {
	case "source", "backend", "url":
		return engine.EffectReplace
	case "args", "generation", "chat_template", "served_name":
		return engine.EffectRestart
	case "keep_alive", "aliases":
		return engine.EffectReload
	}
	return engine.EffectHot
}

func (r *rendering) report(severity engine.Severity, f fault) {
	r.problems = append(r.problems, engine.Problem{
		Severity: severity, Code: f.code, Model: r.m.Name, Path: f.path,
		Summary: f.summary, Detail: f.detail, Origin: r.m.OriginOf(f.path),
	})
}

func (r *rendering) fail(path, code, summary, detail string) {
	r.report(engine.SeverityError, fault{path, code, summary, detail})
}

func (r *rendering) warn(path, code, summary, detail string) {
	r.report(engine.SeverityWarning, fault{path, code, summary, detail})
}

// refuse reports what only a process of our own could be given.
func (r *rendering) refuse() {
	m := r.m
	for _, s := range []struct {
		path   string
		set    bool
		detail string
	}{
		{"command", len(m.Command) > 0, "Start the Ollama service yourself; the backend block gives its url."},
		{"env", len(m.Env) > 0, "Set environment variables where the Ollama service is started."},
		{"extra_args", len(m.ExtraArgs) > 0, "Parameters of an Ollama model are set in args."},
		{"host", m.Host != "" && m.Host != "127.0.0.1", "Clients use the url of the backend block."},
		{"port", m.Port != 0, "Clients use the url of the backend block; leave the port out."},
	} {
		if s.set {
			r.fail(s.path, "unsupported_setting",
				fmt.Sprintf("%s cannot be set: Loadout does not start the Ollama service", s.path), s.detail)
		}
	}
}

func (r *rendering) source() (tag, pin string) {
	tag, pin, ok := parseSource(r.m.Source)
	if !ok {
		r.fail("source", "invalid_source", fmt.Sprintf("%q is no tag of Ollama", r.m.Source),
			`Write the tag as "ollama://qwen3:8b", or with its digest as "ollama://qwen3:8b@sha256:…".`)
	}
	return tag, pin
}

func (r *rendering) url() string {
	base := strings.TrimRight(cmp.Or(r.m.URL, DefaultURL), "/")
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		r.fail("url", "invalid_url", fmt.Sprintf("%q is no URL of a service", r.m.URL),
			fmt.Sprintf("Write it as %q.", DefaultURL))
	}
	return base
}

// served are the names that the model answers to, each a legal name of Ollama.
func (r *rendering) served() []string {
	declared := r.m.ServedName != "" && r.m.ServedName != r.m.Name
	first := cmp.Or(r.m.ServedName, r.m.Name)
	name := legalName(first)
	switch {
	case name == first:
	case declared:
		r.fail("served_name", "invalid_name", fmt.Sprintf("%q is no name that Ollama takes", first),
			fmt.Sprintf("Letters, digits, '_', '-' and '.' are allowed: %q.", name))
	default:
		r.warn("served_name", "name_changed",
			fmt.Sprintf("Ollama does not take the name %q: the model answers to %q", first, name),
			"Set served_name to choose another name.")
	}
	names := []string{name}
	for i, alias := range r.m.Aliases {
		path := fmt.Sprintf("aliases[%d]", i)
		switch {
		case !isName(alias):
			r.fail(path, "invalid_name", fmt.Sprintf("%q is no name that Ollama takes", alias),
				fmt.Sprintf("Letters, digits, '_', '-' and '.' are allowed: %q.", legalName(alias)))
		case !slices.ContainsFunc(names, func(n string) bool { return sameName(n, alias) }):
			names = append(names, alias)
		}
	}
	return names
}

func (r *rendering) settings(base string) settings {
	parameters, faults := mergeParameters(r.m.Args, r.m.Generation)
	for _, f := range faults {
		r.report(engine.SeverityError, f)
	}
	if _, err := parseKeepAlive(r.m.KeepAlive); err != nil {
		r.fail("keep_alive", "invalid_duration", err.Error(), "")
	}
	r.context(parameters)
	r.template()
	return settings{from: base, parameters: parameters, template: r.m.ChatTemplate, keepAlive: r.m.KeepAlive}
}

// context refuses a context that Ollama would quietly cut down.
func (r *rendering) context(parameters map[string]any) {
	declared, _ := parameters["num_ctx"].(int64)
	if trained := r.m.Facts.ContextLength; trained > 0 && declared > trained {
		r.fail("args.num_ctx", "context_too_long",
			fmt.Sprintf("num_ctx %d is more than the %d tokens that the model was trained for", declared, trained),
			"Ollama would use the smaller number without a word.")
	}
}

// template checks the syntax: Ollama takes Go templates, Hugging Face ships
// Jinja, of which some parse as a Go template that says something else.
func (r *rendering) template() {
	text := r.m.ChatTemplate
	tree := parse.New("chat_template")
	tree.Mode = parse.SkipFuncCheck
	if _, err := tree.Parse(text, "", "", map[string]*parse.Tree{}); err != nil {
		r.fail("chat_template", "invalid_template", "The chat template is no Go template: "+err.Error(),
			"Ollama takes Go templates; a Jinja template of Hugging Face must be rewritten or left out.")
		return
	}
	if strings.Contains(text, "{%") {
		r.warn("chat_template", "jinja_template", "The chat template looks like Jinja",
			"Ollama takes Go templates and would print {% … %} as it is.")
	}
}

// baseName keeps the launch from overwriting its own base model.
func (r *rendering) baseName(l engine.Launch) {
	for i, name := range l.Served {
		if l.Model == "" || !sameName(name, l.Model) {
			continue
		}
		if i > 0 {
			r.fail("aliases", "name_taken", fmt.Sprintf("The alias %q is the name of the base model", name),
				"Loadout never overwrites a base model.")
			continue
		}
		s := settingsOf(l)
		if len(s.parameters) > 0 || s.template != "" {
			r.fail("served_name", "name_taken",
				fmt.Sprintf("The served name %q is the name of the base model, which would be overwritten", name),
				"Choose another served_name, or declare no args, generation and chat_template.")
		}
	}
}
