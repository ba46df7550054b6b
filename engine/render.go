package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// Render asks the providers what each served model will be told. A model whose
// launch could not be made is missing from the result and has an error among
// the problems. Of models that are not served only the arguments are checked.
func Render(models []Model, providers map[string]Provider, ws Workspace) (map[string]*Launch, []Problem) {
	launches := make(map[string]*Launch, len(models))
	targets := map[string]string{}
	var problems []Problem
	for i := range models {
		m := &models[i]
		if !m.Served && m.Backend == "" {
			continue
		}
		p, problem := providerOf(m, providers)
		if p == nil {
			problems = append(problems, problem)
			continue
		}
		l, ps := p.Render(m, RenderEnv{GPUs: ws.GPUs})
		if !m.Served { // it has no port and no GPU, but its arguments can be wrong
			ps = slices.DeleteFunc(ps, func(p Problem) bool { return !p.AboutArguments() })
		}
		problems = append(problems, ps...)
		if HasErrors(ps) || !m.Served {
			continue
		}
		if target := targetOf(&l); target != "" {
			if other, taken := targets[target]; taken {
				problems = append(problems, twice(m, "served_name", "target_conflict", SeverityError,
					fmt.Sprintf("%q and %q are one target: %s", m.Name, other, target), "Give one of them another served_name."))
				continue
			}
			targets[target] = m.Name
		}
		launches[m.Name] = &l
	}
	problems = append(problems, exclusions(models, launches, providers)...)
	SortProblems(problems)
	return launches, problems
}

// exclusions finds pairs of launches of one service that cannot both stay
// loaded: each would push the other one out, for ever.
func exclusions(models []Model, launches map[string]*Launch, providers map[string]Provider) []Problem {
	first := map[string]*Model{}
	var problems []Problem
	for i := range models {
		m := &models[i]
		l, excluder := launches[m.Name], Excluder(nil)
		if l != nil {
			excluder, _ = providers[l.Backend].(Excluder)
		}
		if excluder == nil {
			continue
		}
		key := l.Backend + " " + l.URL + " " + l.Model
		other := first[key]
		if other == nil {
			first[key] = m
			continue
		}
		if why := excluder.Exclude(launches[other.Name], l); why != "" {
			problems = append(problems, twice(m, "args", "exclusive", SeverityError,
				fmt.Sprintf("%q and %q (%s) cannot both stay loaded: %s", m.Name, other.Name, other.Serve.Place(), why),
				"Give both the same settings, serve one of them, or copy the weights under another tag."))
		}
	}
	return problems
}

// targetOf names what a launch inside a service would occupy there; processes
// are told apart by their ports.
func targetOf(l *Launch) string {
	if l.URL == "" || len(l.Argv) > 0 || len(l.Served) == 0 {
		return ""
	}
	return l.URL + " " + l.Served[0]
}

func providerOf(m *Model, providers map[string]Provider) (Provider, Problem) {
	if p, ok := providers[m.Backend]; ok {
		return p, Problem{}
	}
	problem := unknownBackend(m.Backend, m.OriginOf("backend"), providers)
	problem.Model, problem.Path = m.Name, "backend"
	if m.Backend == "" {
		problem.Summary = fmt.Sprintf("model %q is served and names no backend", m.Name)
	}
	return nil, problem
}

// CheckBackends finds blocks that are written for a backend that there is not:
// what they say would reach nobody.
func CheckBackends(backends []Backend, providers map[string]Provider) []Problem {
	var problems []Problem
	for _, b := range backends {
		if _, ok := providers[b.Name]; !ok {
			problems = append(problems, unknownBackend(b.Name, b.Origin, providers))
		}
	}
	return problems
}

func unknownBackend(name string, at Origin, providers map[string]Provider) Problem {
	p := Problem{
		Severity: SeverityError, Code: "backend_unknown", Origin: at,
		Summary: fmt.Sprintf("no backend is called %q", name),
		Detail:  "Known are: " + strings.Join(sortedKeys(providers), ", ") + ".",
	}
	if near := Nearest(name, sortedKeys(providers)); near != "" {
		p.Detail = fmt.Sprintf("Did you mean %q? ", near) + p.Detail
	}
	return p
}

// Nearest is the candidate that a mistyped word most likely meant; "" when none
// is near. It is the one did-you-mean of Loadout.
func Nearest(word string, candidates []string) string {
	best, distance := "", 1+len(word)/3
	for _, c := range slices.Sorted(slices.Values(candidates)) {
		d := levenshtein.Distance(word, c, nil)
		if d < max(len(word), len(c)) && (d < distance || d == distance && best == "") {
			best, distance = c, d
		}
	}
	return best
}
