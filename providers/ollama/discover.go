package ollama

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// Discover lists the models that the service at base has on its disk, sorted by
// source. Models that run elsewhere and models that Loadout derived are left
// out. The service is not changed and nothing is loaded.
func Discover(ctx context.Context, base string) ([]engine.Artifact, error) {
	c := New().client(strings.TrimRight(cmp.Or(base, DefaultURL), "/"))
	defer c.http.CloseIdleConnections()
	if err := c.reach(ctx); err != nil {
		return nil, err
	}
	tags, err := c.tags(ctx)
	if err != nil {
		return nil, err
	}
	artifacts := []engine.Artifact{}
	for _, t := range tags {
		if t.RemoteHost != "" {
			continue
		}
		s, err := c.show(ctx, t.Name)
		if isNotFound(err) { // deleted meanwhile
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s%s: %w", Scheme, t.Name, err)
		}
		if _, marked := readMark(s.License); marked || s.RemoteHost != "" {
			continue
		}
		artifacts = append(artifacts, artifact(t, s))
	}
	slices.SortFunc(artifacts, func(a, b engine.Artifact) int { return cmp.Compare(a.Source, b.Source) })
	return artifacts, nil
}

// artifact turns what the service tells about a model into facts.
func artifact(t tag, s shown) engine.Artifact {
	f := facts{Evidence: map[string]string{}}
	f.Kind, f.Complete = "ollama", true
	f.take("format", &f.Format, s.Details.Format, "/api/show: details.format")
	if q := s.Details.Quantization; q != "unknown" {
		f.take("quantization", &f.Quantization, q, "/api/show: details.quantization_level")
	}
	architecture, _ := s.Info["general.architecture"].(string)
	f.take("architecture", &f.Architecture, architecture, "/api/show: model_info.general.architecture")
	f.number("context_length", &f.ContextLength, s.Info, architecture+".context_length")
	f.number("parameters", &f.Parameters, s.Info, "general.parameter_count")
	if f.Parameters == 0 {
		f.Parameters = parseCount(s.Details.Parameters)
		f.note("parameters", f.Parameters != 0, "/api/show: details.parameter_size")
	}
	f.WeightBytes = t.Size
	f.note("weight_bytes", t.Size != 0, "/api/tags: size")
	if s.Template != "" {
		sum := sha256.Sum256([]byte(s.Template))
		f.ChatTemplate = "sha256:" + hex.EncodeToString(sum[:]) + " template"
		f.note("chat_template", true, "/api/show: template")
	}
	license, _, _ := strings.Cut(strings.TrimSpace(s.License), "\n")
	f.take("license", &f.License, strings.TrimSpace(license), "/api/show: license")
	f.abilities(s.Capabilities)
	return engine.Artifact{Source: Scheme + shortName(t.Name), Revision: "sha256:" + t.Digest, Facts: engine.Facts(f)}
}

// facts collects facts together with where they were read.
type facts engine.Facts

func (f *facts) note(field string, known bool, place string) {
	if known {
		f.Evidence[field] = place
	}
}

func (f *facts) take(field string, to *string, value, place string) {
	*to = value
	f.note(field, value != "", place)
}

func (f *facts) number(field string, to *int64, info map[string]any, key string) {
	n, _ := engine.Normalize(info[key]).(int64)
	*to = n
	f.note(field, n != 0, "/api/show: model_info."+key)
}

// abilities translates Ollama's words for what a model can do.
func (f *facts) abilities(capabilities []string) {
	words := map[string]string{"completion": "chat", "thinking": "reasoning", "embedding": "embeddings"}
	for _, c := range capabilities {
		if f.Capabilities == nil {
			f.Capabilities = map[string]bool{}
		}
		ability := cmp.Or(words[c], c)
		f.Capabilities[ability] = true
		f.note("capabilities."+ability, true, "/api/show: capabilities")
	}
}

// parseCount reads a number of parameters as Ollama writes it: 7.6B, 494.03M,
// 120K. 0 when it cannot be read.
func parseCount(s string) int64 {
	units := map[byte]float64{'K': 1e3, 'M': 1e6, 'B': 1e9, 'T': 1e12}
	if s == "" {
		return 0
	}
	unit, scaled := units[s[len(s)-1]]
	if !scaled {
		unit = 1
	} else {
		s = s[:len(s)-1]
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || n < 0 {
		return 0
	}
	return int64(n*unit + 0.5)
}

// shortName leaves out the tag that Ollama fills in.
func shortName(name string) string { return strings.TrimSuffix(name, ":latest") }
