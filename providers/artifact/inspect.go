package artifact

import (
	"context"
	"fmt"

	"github.com/loadoutdev/loadout/engine"
)

// inspection collects the facts of one model directory.
type inspection struct {
	dir   *folder
	facts engine.Facts
}

// inspect reads everything that is known about the model in c. What is wrong
// with the model becomes one of its problems; only ctx ends it early.
func inspect(ctx context.Context, f *fence, c candidate) (engine.Artifact, error) {
	a := engine.Artifact{Source: c.source, Revision: c.revision}
	in := inspection{facts: engine.Facts{
		Path: c.path, Kind: c.kind, Problems: c.problems, Evidence: map[string]string{},
	}}
	in.note("revision", c.revisionPlace)
	if !c.absent {
		dir, err := openFolder(f, c.path)
		if err != nil {
			in.problem("%s %w", c.path, err)
		} else {
			in.dir = dir
			in.read(ctx)
		}
	}
	in.facts.Complete = len(in.facts.Problems) == 0
	a.Facts = in.facts
	return a, ctx.Err()
}

func (in *inspection) read(ctx context.Context) {
	cfg := newConfig(in.object("config.json"))
	tokenizer := in.object(tokenizerConfig)
	in.configFacts(cfg, tokenizer)
	q := cfg.quantization(in.object("hf_quant_config.json"), in.object("quant_config.json"))
	in.facts.Quantization = q.label
	in.note("quantization", q.place)
	in.weights(ctx, q)
	in.sideFacts(cfg, tokenizer)
	for _, name := range unfinished(in.dir) {
		in.problem("%s: a download is running or broke off (finish it, or delete this file)", name)
	}
}

func (in *inspection) configFacts(cfg config, tokenizer object) {
	if !in.dir.has("config.json") && !in.dir.has("params.json") {
		in.problem("config.json is missing")
	}
	var place string
	in.facts.Architecture, place = cfg.architecture()
	in.note("architecture", place)
	in.facts.ContextLength, place = cfg.contextLength(tokenizer)
	in.note("context_length", place)
}

func (in *inspection) sideFacts(cfg config, tokenizer object) {
	template, err := readTemplate(in.dir, tokenizer)
	if err != nil {
		in.problem("%w", err)
	}
	if template.text != "" {
		in.facts.ChatTemplate = template.fact()
		in.note("chat_template", template.file)
	}
	if in.facts.Tokenizer, err = findTokenizer(in.dir); err != nil {
		in.problem("%w", err)
	}
	in.note("tokenizer", in.facts.Tokenizer)
	if in.facts.License = readLicense(in.dir); in.facts.License != "" {
		in.note("license", "README.md: license")
	}
	in.capabilities(clues{
		config: cfg, architecture: in.facts.Architecture, template: template,
		processor: in.object("preprocessor_config.json"), pooling: poolingFile(in.dir),
	})
}

func (in *inspection) capabilities(c clues) {
	for ability, place := range c.capabilities() {
		if in.facts.Capabilities == nil {
			in.facts.Capabilities = map[string]bool{}
		}
		in.facts.Capabilities[ability] = true
		in.note("capabilities."+ability, place)
	}
}

// weights adds up the headers of the files that a server would load.
func (in *inspection) weights(ctx context.Context, q quantization) {
	w, err := selectWeights(in.dir)
	if err != nil {
		in.problem("%w", err)
	}
	in.facts.Format = w.format
	switch {
	case w.format == formatPickle:
		in.note("format", w.names[0])
		in.problem("%s holds pickled weights, which are not read (convert them to safetensors)", w.names[0])
		return
	case len(w.names) == 0 && err == nil:
		in.problem("no weights: there is no safetensors file")
		return
	case len(w.names) == 0:
		return
	}
	in.note("format", w.names[0])
	in.sum(ctx, w, q)
}

// sum leaves the totals unknown unless every file could be read.
func (in *inspection) sum(ctx context.Context, w weightFiles, q quantization) {
	total := tally{known: true, types: map[string]int64{}}
	whole := true
	for _, name := range w.names {
		if ctx.Err() != nil {
			return
		}
		h, err := in.header(name)
		if err == nil {
			err = w.lacking(name, h)
		}
		if err != nil {
			in.problem("%s %w", name, err)
			whole = false
			continue
		}
		total.add(h, q)
	}
	if !whole {
		return
	}
	place := fmt.Sprintf("headers of %d safetensors files", len(w.names))
	if len(w.names) == 1 {
		place = w.names[0] + ": header"
	}
	in.facts.WeightBytes = total.bytes
	in.note("weight_bytes", place)
	if total.known && total.parameters > 0 {
		in.facts.Parameters = total.parameters
		in.note("parameters", place)
	}
	if q.label == "" {
		in.facts.Quantization = total.mainType()
		in.note("quantization", place)
	}
}

func (in *inspection) header(name string) (header, error) {
	file, size, err := in.dir.open(name)
	if err != nil {
		return header{}, err
	}
	defer file.Close()
	return readHeader(file, size)
}

// object reads a side file; one that is there and cannot be read is a problem.
func (in *inspection) object(name string) object {
	o, err := in.dir.object(name)
	if err != nil {
		in.problem("%s %w", name, err)
	}
	return o
}

// maxProblems bounds the list of one model; a hostile index names millions.
const maxProblems = 50

// problem records why the model cannot be served as it lies.
func (in *inspection) problem(format string, args ...any) {
	switch n := len(in.facts.Problems); {
	case n < maxProblems:
		in.facts.Problems = append(in.facts.Problems, fmt.Errorf(format, args...).Error())
	case n == maxProblems:
		in.facts.Problems = append(in.facts.Problems, "and more of this kind")
	}
}

func (in *inspection) note(field, place string) {
	if place != "" {
		in.facts.Evidence[field] = place
	}
}

// poolingFile marks a sentence-transformers model.
func poolingFile(d *folder) string {
	for _, name := range []string{"modules.json", "1_Pooling"} {
		if d.has(name) {
			return name
		}
	}
	return ""
}
