package engine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Desire makes the desired state: for every declared model discovered facts <
// backend < model < profile < serve, merged. lookup finds the artifact of a
// source. The result is sorted by name; problems by place.
func Desire(cfg *Config, lookup func(source string) (Artifact, bool)) ([]Model, []Problem) {
	models := make([]Model, 0, len(cfg.Models))
	var problems []Problem
	var scratch merger
	for i := range cfg.Models {
		m, ps := desireOne(&scratch, &cfg.Models[i], lookup)
		models = append(models, m)
		problems = append(problems, ps...)
	}
	slices.SortFunc(models, func(a, b Model) int { return strings.Compare(a.Name, b.Name) })
	problems = append(problems, crossCheck(models, cfg.Workspace)...)
	SortProblems(problems)
	return models, problems
}

func desireOne(scratch *merger, d *Declared, lookup func(string) (Artifact, bool)) (Model, []Problem) {
	m := Model{Name: d.Name, Served: d.Served, Origin: d.Origin, Serve: d.Serve}
	var problems []Problem
	layers := make([]Layer, 0, len(d.Layers)+3)
	layers = append(layers, Layer{{Path: "served_name", Value: d.Name, Origin: Origin{Layer: LayerDefault}}})
	if d.Served {
		layers = append(layers, defaults)
	}
	if source := declaredSource(d); source != "" {
		if a, ok := lookup(source); ok {
			m.Facts = a.Facts
			layers = append(layers, factsLayer(&a))
		}
	}
	layers = append(layers, d.Layers...)
	m.Leaves, problems = scratch.merge(d.Name, layers)
	facts := m.Facts
	spec, more := specOf(d.Name, m.Leaves)
	m.Spec = spec
	m.Facts = facts
	return m, append(problems, more...)
}

// declaredSource reads the source before the merge, because the facts that it
// leads to are themselves a layer. Only model blocks may set it.
func declaredSource(d *Declared) string {
	source := ""
	for _, layer := range d.Layers {
		for i := range layer {
			if layer[i].Path == "source" {
				source, _ = layer[i].Value.(string)
			}
		}
	}
	return source
}

// factsFile is where people look facts up; a host of its own may have another
// file.
const factsFile = "discovered.json"

// factsLayer gives the facts of an artifact as a layer. Capabilities and the
// license stand where a model block may override them, the rest under facts.
func factsLayer(a *Artifact) Layer {
	layer := make(Layer, 0, 16)
	add := func(path, evidence string, v Value) {
		switch v {
		case nil, "", int64(0):
			return
		}
		layer = append(layer, Assignment{Path: path, Value: v, Origin: Origin{
			Layer: LayerDiscovered, Block: a.Evidence[evidence], File: factsFile,
		}})
	}
	for _, k := range sortedKeys(a.Capabilities) {
		add(JoinPath("capabilities", k), "capabilities."+k, a.Capabilities[k])
	}
	add("facts.architecture", "architecture", a.Architecture)
	add("facts.chat_template", "chat_template", a.ChatTemplate)
	add("facts.complete", "complete", a.Complete)
	add("facts.context_length", "context_length", a.ContextLength)
	add("facts.format", "format", a.Format)
	add("facts.kind", "kind", a.Kind)
	add("facts.parameters", "parameters", a.Parameters)
	add("facts.path", "path", a.Path)
	add("facts.quantization", "quantization", a.Quantization)
	add("facts.revision", "revision", a.Revision)
	add("facts.tokenizer", "tokenizer", a.Tokenizer)
	add("facts.weight_bytes", "weight_bytes", a.WeightBytes)
	add("license", "license", a.License)
	return layer
}

// crossCheck finds what is wrong between models: ports taken twice, GPUs that
// the workspace does not have, served names that collide.
func crossCheck(models []Model, ws Workspace) []Problem {
	var problems []Problem
	ports, names, weights := map[string]*Model{}, map[string]*Model{}, map[string][]*Model{}
	for i := range models {
		m := &models[i]
		if !m.Served {
			continue
		}
		if m.Port != 0 {
			key := fmt.Sprint(m.Port)
			if other := ports[key]; other != nil {
				problems = append(problems, twice(m, "port", "port_conflict", SeverityError,
					fmt.Sprintf("port %d is taken by %q (%s)", m.Port, other.Name, other.OriginOf("port").Place()),
					"Two models of one workspace cannot listen on the same port. Give one of them another port."))
			}
			ports[key] = m
		}
		for _, n := range append([]string{m.ServedName}, m.Aliases...) {
			if other := names[n]; other != nil && other != m {
				problems = append(problems, twice(m, "aliases", "name_conflict", SeverityWarning,
					fmt.Sprintf("%q is also a name of %q (%s)", n, other.Name, other.OriginOf("aliases").Place()),
					"Consumers that select by this name cannot tell the two apart."))
			}
			names[n] = m
		}
		weights[m.Source] = append(weights[m.Source], m)
		if m.Facts.Kind != "" && !m.Facts.Complete {
			problems = append(problems, twice(m, "source", "artifact_incomplete", SeverityWarning,
				"the weights are not complete: "+strings.Join(m.Facts.Problems, "; "),
				"Finish the download and run loadout discover again; the backend may refuse them, or answer nonsense."))
		}
		problems = append(problems, checkGPUs(m, ws)...)
	}
	for _, source := range sortedKeys(weights) {
		if ms := weights[source]; len(ms) > 1 && source != "" {
			problems = append(problems, twice(ms[1], "source", "weights_twice", SeverityWarning,
				fmt.Sprintf("the same weights are served %d times: as %s", len(ms), someNames(ms)), "Each copy takes its own GPU memory."))
		}
	}
	return problems
}

// someNames lists the first few models, for a sentence.
func someNames(ms []*Model) string {
	const most = 3
	names := make([]string, 0, most)
	for _, m := range ms[:min(most, len(ms))] {
		names = append(names, strconv.Quote(m.Name))
	}
	if more := len(ms) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names, ", "), more)
	}
	return strings.Join(names, " and ")
}

func twice(m *Model, path, code string, severity Severity, summary, detail string) Problem {
	return Problem{Severity: severity, Code: code, Model: m.Name, Path: path, Origin: m.OriginOf(path), Summary: summary, Detail: detail}
}

func checkGPUs(m *Model, ws Workspace) []Problem {
	var problems []Problem
	for _, id := range m.GPUs {
		if len(ws.GPUs) > 0 && !slices.ContainsFunc(ws.GPUs, func(g GPU) bool { return g.ID == id }) {
			ids := make([]string, len(ws.GPUs))
			for i, g := range ws.GPUs {
				ids[i] = g.ID
			}
			problems = append(problems, Problem{
				Severity: SeverityError, Code: "gpu_unknown", Model: m.Name, Path: "gpus", Origin: m.OriginOf("gpus"),
				Summary: fmt.Sprintf("workspace %q has no GPU %q", ws.Name, id),
				Detail:  "Declared are: " + strings.Join(ids, ", ") + ".",
			})
		}
	}
	return problems
}
