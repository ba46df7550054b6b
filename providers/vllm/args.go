package vllm

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// templateFile is the name of the chat template in the launch directory.
const templateFile = "chat_template.jinja"

// Render makes the command line of a model:
//
//	vllm serve MODEL --served-model-name NAME ALIAS… --host H --port P [args…] [extra_args…]
//
// The model comes first, because flags that take several values would swallow
// it. It is a pure function; every problem is reported at once.
func (*Provider) Render(m *engine.Model, env engine.RenderEnv) (engine.Launch, []engine.Problem) {
	r := &renderer{m: m, env: env, from: map[string]string{}}
	l := r.launch()
	r.checkHost()
	r.checkFit()
	engine.SortProblems(r.problems)
	return l, r.problems
}

// renderer is one Render under way.
type renderer struct {
	m        *engine.Model
	env      engine.RenderEnv
	from     map[string]string // flag already given → attribute that gave it
	problems []engine.Problem
}

func (r *renderer) launch() engine.Launch {
	m := r.m
	l := engine.Launch{
		Backend: m.Backend, Env: maps.Clone(m.Env), Host: m.Host, Port: m.Port,
		Served: names(m), GPUs: r.gpus(), Artifact: revision(m),
	}
	model, modelFlags := r.model()
	l.Model = model
	l.Argv = append(slices.Clone(command(m)), model)
	l.Argv = append(l.Argv, modelFlags...)
	l.Argv = append(append(l.Argv, "--served-model-name"), l.Served...)
	l.Argv = append(l.Argv, "--host", m.Host, "--port", strconv.Itoa(m.Port))
	l.Argv = append(l.Argv, r.args()...)
	if len(m.Generation) > 0 {
		l.Argv = append(l.Argv, "--override-generation-config", string(engine.CanonicalJSON(m.Generation)))
	}
	if m.ChatTemplate != "" {
		sum := sha256.Sum256([]byte(m.ChatTemplate))
		l.Files = []engine.File{{Name: templateFile, SHA256: hex.EncodeToString(sum[:]), Content: []byte(m.ChatTemplate)}}
		l.Argv = append(l.Argv, "--chat-template", engine.LaunchDir+"/"+templateFile)
	}
	l.Argv = append(l.Argv, r.extraArgs()...)
	l.URL = baseURL(m)
	return l
}

func command(m *engine.Model) []string {
	if len(m.Command) > 0 {
		return m.Command
	}
	return []string{"vllm", "serve"}
}

// names are the served name and the aliases, each once.
func names(m *engine.Model) []string {
	out := []string{m.ServedName}
	for _, a := range m.Aliases {
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// gpus gives UUIDs where the files declare them: an index means another card when
// the driver counts differently. What only the host knows is resolved at the start.
func (r *renderer) gpus() []string {
	var out []string
	for _, id := range r.m.GPUs {
		for _, g := range r.env.GPUs {
			if g.ID == id && g.UUID != "" {
				id = g.UUID
				break
			}
		}
		out = append(out, id)
	}
	return out
}

// model is what vLLM is told to load: the path that discovery found, else what
// the source names.
func (r *renderer) model() (word string, flags []string) {
	m := r.m
	scheme, rest, _ := strings.Cut(m.Source, "://")
	switch {
	case m.Source == "" && m.Facts.Path == "":
		r.fail("source_missing", "source", "the model has no source", `Set source, for example "file:///models/NAME" or "hf://org/name".`)
	case scheme != "file" && scheme != "hf" && scheme != "gguf" && m.Source != "":
		r.fail("source_unsupported", "source", fmt.Sprintf("vLLM cannot load %q", m.Source), "It loads file://, hf:// and gguf:// sources.")
	case m.Facts.Path != "":
		return m.Facts.Path, nil
	case scheme == "hf":
		name, rev, _ := strings.Cut(rest, "@")
		if rev != "" {
			r.from["revision"] = "source"
			return name, []string{"--revision", rev}
		}
		return name, nil
	}
	return rest, nil
}

// revision identifies the bytes as far as the source or discovery know them.
func revision(m *engine.Model) string {
	if l, ok := m.Leaf("facts.revision"); ok {
		if rev, ok := l.Value.(string); ok {
			return rev
		}
	}
	_, rev, _ := strings.Cut(m.Source, "@")
	if !strings.HasPrefix(m.Source, "hf://") {
		return ""
	}
	return rev
}

func (r *renderer) args() []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(r.m.Args)) {
		if v := r.m.Args[key]; v != nil {
			out = append(out, r.arg(key, v)...)
		}
	}
	return out
}

func (r *renderer) arg(key string, v engine.Value) []string {
	path := engine.JoinPath("args", key)
	f := r.known(key, path)
	if f == nil {
		return nil
	}
	if sensitive(v) {
		r.fail("sensitive_argument", path, path+" is sensitive", "Everybody can read the command line of a process. Set it in env.")
		return nil
	}
	words, err := f.words(v)
	if err != nil {
		r.badValue(path, v, err)
		return nil
	}
	r.from[f.Name] = path
	return words
}

// known finds the flag of a key of args; nil after an error.
func (r *renderer) known(key, path string) *Flag {
	f, alias := flags().key(key)
	if f == nil {
		r.unknown(key, alias, path)
		return nil
	}
	if way, no := blocked(r.m, f.Name); no {
		r.fail("reserved_argument", path, path+" cannot be set", way)
		return nil
	}
	if r.from[f.Name] != "" {
		r.fail("duplicate_argument", path, fmt.Sprintf("%s and %s give the same flag %s", r.from[f.Name], path, f.word()), "Keep one of them.")
		return nil
	}
	return f
}

func (r *renderer) unknown(key, alias, path string) {
	positive := strings.TrimPrefix(strings.ReplaceAll(key, "-", "_"), "no_")
	switch {
	case removed[key] != "":
		r.fail("removed_argument", path, fmt.Sprintf("vLLM %s has no argument %q any more", Version, key), removed[key])
	case alias != "":
		r.fail("unknown_argument", path, fmt.Sprintf("vLLM %s has no argument %q", Version, key), fmt.Sprintf("Did you mean %q?", alias))
	case flags().byName[positive] != nil:
		r.fail("unknown_argument", path, fmt.Sprintf("vLLM %s has no argument %q", Version, key), fmt.Sprintf("Set %s = false.", positive))
	default:
		detail := "If a later vLLM knows it, put it in extra_args."
		if s := engine.Nearest(key, flags().names); s != "" {
			detail = fmt.Sprintf("Did you mean %q? %s", s, detail)
		}
		r.fail("unknown_argument", path, fmt.Sprintf("vLLM %s has no argument %q", Version, key), detail)
	}
}

func (r *renderer) badValue(path string, v engine.Value, err error) {
	var choice *choiceError
	if errors.As(err, &choice) {
		detail := "It takes one of: " + strings.Join(choice.choices, ", ") + "."
		if s := engine.Nearest(choice.value, choice.choices); s != "" {
			detail = fmt.Sprintf("Did you mean %q? %s", s, detail)
		}
		r.fail("bad_choice", path, fmt.Sprintf("%s cannot be %q", path, choice.value), detail)
		return
	}
	code := "wrong_type"
	var outside *rangeError
	if errors.As(err, &outside) {
		code = "out_of_range"
	}
	r.fail(code, path, path+" "+err.Error(), "The value is "+engine.FormatValue(v)+".")
}

func sensitive(v engine.Value) bool {
	switch v := v.(type) {
	case engine.Secret:
		return true
	case []any:
		return slices.ContainsFunc(v, sensitive)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), sensitive)
	}
	return false
}

// baseURL is where the server answers from this machine.
func baseURL(m *engine.Model) string {
	scheme := "http"
	if m.Args["ssl_certfile"] != nil {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(reachable(m.Host), strconv.Itoa(m.Port))
}

// reachable turns "all addresses" into one that can be asked.
func reachable(host string) string {
	switch ip := net.ParseIP(host); {
	case ip == nil || !ip.IsUnspecified():
		return host
	case ip.To4() != nil:
		return "127.0.0.1"
	}
	return "::1"
}

func (r *renderer) fail(code, path, summary, detail string) {
	r.report(engine.SeverityError, code, path, summary, detail)
}

func (r *renderer) warn(code, path, summary, detail string) {
	r.report(engine.SeverityWarning, code, path, summary, detail)
}

func (r *renderer) report(s engine.Severity, code, path, summary, detail string) {
	r.problems = append(r.problems, engine.Problem{
		Severity: s, Code: code, Model: r.m.Name, Path: path, Summary: summary, Detail: detail, Origin: r.m.OriginOf(path),
	})
}
