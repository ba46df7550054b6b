package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"

	"github.com/hashicorp/hcl/v2/hclparse"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/store"
)

// The whole of plan (load, merge, render, plan) beside bare hclparse over the
// same bytes, in one run: compare cpu-ns/model of the two, not wall time.
func BenchmarkPlan(b *testing.B) {
	for _, shape := range []struct {
		name  string
		write func(b *testing.B, dir string, n int)
	}{{"blocks", writeBlocks}, {"for_each", writeForEach}} {
		for _, n := range []int{10, 1000, 10000} {
			dir := b.TempDir()
			shape.write(b, dir, n)
			name := fmt.Sprintf("%s/%d", shape.name, n)
			b.Run("hclparse/"+name, func(b *testing.B) {
				perModel(b, n, func() { parseOnly(b, dir) })
			})
			b.Run("plan/"+name, func(b *testing.B) {
				defer debug.SetGCPercent(debug.SetGCPercent(gcPercent)) // as main does
				perModel(b, n, func() { planOnly(b, dir, n) })
			})
		}
	}
}

// perModel reports processor time of all threads, which is what a noisy machine
// leaves comparable.
func perModel(b *testing.B, n int, f func()) {
	b.ReportAllocs()
	before := cpu()
	for b.Loop() {
		f()
	}
	b.ReportMetric(float64(cpu()-before)/float64(b.N*n), "cpu-ns/model")
}

func cpu() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

func parseOnly(b *testing.B, dir string) {
	p := hclparse.NewParser()
	for _, pattern := range []string{"*.hcl", "workspaces/*.hcl"} {
		files, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, f := range files {
			if _, diags := p.ParseHCLFile(f); diags.HasErrors() {
				b.Fatal(diags)
			}
		}
	}
}

func planOnly(b *testing.B, dir string, n int) {
	c := &cli{dir: dir}
	w, err := c.desire(&varFlags{}, true)
	if err != nil || w.diags.HasErrors() {
		b.Fatal(err, w.diags)
	}
	seen, err := c.look(b.Context(), w, store.Open(c.stateRoot(), "box"), false)
	if err != nil {
		b.Fatal(err)
	}
	if p := c.plan(w, seen, nil); p.Summary.Create != n {
		b.Fatalf("%d changes, want %d: %v", p.Summary.Create, n, engine.HasErrors(p.Problems))
	}
}

func write(b *testing.B, path, text string) {
	b.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
}

const benchBackend = `
backend "vllm" {
  env  = { HF_HUB_OFFLINE = "1" }
  args = { gpu_memory_utilization = 0.85 }
}
`

// writeBlocks writes n model blocks, 100 to a file, each with its serve block.
func writeBlocks(b *testing.B, dir string, n int) {
	var serve strings.Builder
	files := map[int]*strings.Builder{}
	for i := range n {
		if files[i/100] == nil {
			files[i/100] = &strings.Builder{}
		}
		fmt.Fprintf(files[i/100], `
model "model-%05[1]d" {
  source       = "hf://organization/model-%05[1]d-instruct@0123456789abcdef0123456789abcdef01234567"
  backend      = "vllm"
  served_name  = "served-%05[1]d"
  aliases      = ["alias-%05[1]d", "other-%05[1]d"]
  roles        = { caption = 95, narration = 90 }
  capabilities = { tools = true, vision = false }
  license      = "apache-2.0"

  args = {
    max_model_len       = 4096
    enforce_eager       = true
    trust_remote_code   = true
    max_num_seqs        = 16
    limit_mm_per_prompt = { image = 2, video = 0 }
  }
  generation = { temperature = 0.7, top_p = 0.8 }
  extra_args = ["--scheduling-policy", "priority"]

  lifecycle {
    start_timeout = "20m"
    on_failure    = "restore"
  }
}
`, i)
		fmt.Fprintf(&serve, "  serve \"model-%05d\" {\n    port = %d\n    args = { max_model_len = 2048 }\n  }\n", i, 10000+i)
	}
	write(b, filepath.Join(dir, "backend.hcl"), benchBackend)
	for k, text := range files {
		write(b, filepath.Join(dir, fmt.Sprintf("models-%03d.hcl", k)), text.String())
	}
	write(b, filepath.Join(dir, "workspaces/box.hcl"), "workspace \"box\" {\n"+serve.String()+"}\n")
}

// writeForEach writes one model block and one serve block over n keys.
func writeForEach(b *testing.B, dir string, n int) {
	var items strings.Builder
	for i := range n {
		fmt.Fprintf(&items, `    "m%05[1]d" = {
      source  = "hf://organization/model-%05[1]d-instruct@0123456789abcdef0123456789abcdef01234567"
      served  = "served-%05[1]d"
      alias   = "alias-%05[1]d"
      length  = 4096
      seqs    = 16
      eager   = true
      port    = %[2]d
      license = "apache-2.0"
    }
`, i, 10000+i)
	}
	write(b, filepath.Join(dir, "models.hcl"), benchBackend+"locals {\n  items = {\n"+items.String()+`  }
}

model "fleet" {
  for_each    = local.items
  source      = each.value.source
  backend     = "vllm"
  served_name = each.value.served
  aliases     = [each.value.alias]
  license     = each.value.license
  args = {
    max_model_len = each.value.length
    max_num_seqs  = each.value.seqs
    enforce_eager = each.value.eager
  }
}
`)
	write(b, filepath.Join(dir, "workspaces/box.hcl"), `workspace "box" {
  serve "fleet" {
    for_each = local.items
    port     = each.value.port
  }
}
`)
}
