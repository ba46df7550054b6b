package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/loadoutdev/loadout/cmd/loadout/internal/view"
	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/lang"
	"github.com/loadoutdev/loadout/providers/artifact"
	"github.com/loadoutdev/loadout/providers/ollama"
)

func newDiscover(c *cli) *cobra.Command {
	var vars varFlags
	cmd := &cobra.Command{
		Use:   "discover [PATH…]",
		Short: "Read facts about the models on this host into discovered.json",
		Long: "Looks into the PATHs, else into the roots of the discover block, else into the\n" +
			"Hugging Face cache of this user and an Ollama that answers. Writes facts only,\n" +
			"never configuration; the same disk gives the same bytes. What was known of\n" +
			"places that were not looked at this time stays.",
		Example: "  loadout discover\n  loadout discover ~/ai-models/weights",
		Args:    folders,
		RunE:    func(cmd *cobra.Command, args []string) error { return c.runDiscover(cmd.Context(), args, &vars) },
	}
	vars.add(cmd)
	c.jsonFlag(cmd)
	return cmd
}

// sources is where discover looks. What was only assumed may be missing.
type sources struct {
	paths         []string
	hfCache       string
	assumedCache  bool
	ollama        string
	assumedOllama bool
}

func (c *cli) runDiscover(ctx context.Context, args []string, vars *varFlags) error {
	src, err := c.sources(args, vars)
	if err != nil {
		return err
	}
	path := filepath.Join(c.dir, c.factsPath(c.workspace))
	old, err := artifact.ReadFile(path)
	if err != nil {
		return err
	}
	found, findings, err := artifact.Scan(ctx, artifact.Options{
		Paths: src.paths, HFCache: src.hfCache, AssumedHFCache: src.assumedCache, Progress: c.scanProgress(),
	})
	if err != nil {
		return err
	}
	looked := search{roots: append(slices.Clone(src.paths), src.hfCache), findings: findings}
	if src.ollama != "" {
		models, err := ollama.Discover(ctx, src.ollama)
		looked.ollama = err == nil
		if err != nil && !src.assumedOllama {
			findings = append(findings, artifact.Finding{Path: src.ollama, Problem: err.Error(), Named: true})
		}
		found = append(found, models...)
	}
	kept := looked.missed(old)
	now := &engine.Discovered{FormatVersion: engine.FactsVersion, Artifacts: append(found, kept...)}
	sortArtifacts(now.Artifacts)
	if err := artifact.WriteFile(path, now); err != nil {
		return err
	}
	if len(kept) > 0 && !c.json {
		fmt.Fprintf(c.err, "Not looked at this time, and kept: %s known from before.\n", view.Count(len(kept), "artifact"))
	}
	return c.showDiscovered(path, old, now, findings)
}

func (c *cli) showDiscovered(path string, old, now *engine.Discovered, findings []artifact.Finding) error {
	var unseen []string
	for _, f := range findings {
		if f.Named {
			unseen = append(unseen, f.Path+" "+f.Problem)
		}
	}
	sum := artifact.Compare(old, now)
	var err error
	if c.json {
		err = view.JSON(c.out, map[string]any{"format_version": "1.0", "file": path, "summary": sum, "findings": append([]artifact.Finding{}, findings...)})
	} else {
		err = view.Discovered(c.screen(), path, now.Artifacts, sum, findings)
	}
	if err != nil {
		return err
	}
	if len(unseen) > 0 && !c.json {
		return fmt.Errorf("%s: what was known of it before stays", strings.Join(unseen, "; "))
	}
	if len(unseen) > 0 {
		return &exit{code: exitError}
	}
	return nil
}

// sources decides where to look: PATHs, else the discover block, else what
// this user most likely has.
func (c *cli) sources(args []string, vars *varFlags) (sources, error) {
	if len(args) > 0 {
		var s sources
		for _, p := range args {
			abs, err := filepath.Abs(p)
			if err != nil {
				return s, err
			}
			s.paths = append(s.paths, abs)
		}
		return s, nil
	}
	files, err := c.read(vars, false)
	if err != nil {
		return sources{}, err
	}
	if files.diags.HasErrors() {
		return sources{}, c.stop(&files)
	}
	if b := files.Discover; b != nil {
		return sources{paths: b.Paths, hfCache: b.HFCache, ollama: b.Ollama}, nil
	}
	return sources{
		hfCache: artifact.DefaultHFCache(c.environ), assumedCache: true,
		ollama: assumedOllama(files.Loaded), assumedOllama: true,
	}, nil
}

// assumedOllama is where an Ollama would be: where a model says, else at home.
func assumedOllama(l *lang.Loaded) string {
	for _, m := range l.Models {
		for _, layer := range m.Layers {
			for _, a := range layer {
				if url, ok := a.Value.(string); ok && a.Path == "url" && a.Origin.Block == "ollama" {
					return url
				}
			}
		}
	}
	return ollama.DefaultURL
}

func sortArtifacts(as []engine.Artifact) {
	slices.SortFunc(as, func(a, b engine.Artifact) int {
		return strings.Compare(a.Source+"\x00"+a.Revision+"\x00"+a.Path, b.Source+"\x00"+b.Revision+"\x00"+b.Path)
	})
}

// scanProgress counts on standard error while a terminal watches.
func (c *cli) scanProgress() func(done, total int, path string) {
	s := c.errScreen()
	if !s.TTY {
		return nil
	}
	return func(done, total int, _ string) {
		fmt.Fprintf(c.err, "\r\x1b[K%d of %d folders", done, total)
		if done == total {
			fmt.Fprint(c.err, "\r\x1b[K")
		}
	}
}
