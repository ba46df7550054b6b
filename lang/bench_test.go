package lang

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclparse"
)

// sizes of the benchmarks: a person, a team, a registry.
var benchSizes = []int{10, 1000, 10000}

const benchHead = `variable "weights" {
  type    = string
  default = "/srv/weights"
}

backend "vllm" {
  command = ["vllm", "serve"]
  env     = { HF_HUB_OFFLINE = "1" }
  args    = { gpu_memory_utilization = 0.85 }
}

`

// benchBlocks is n model blocks, a quarter of them served.
func benchBlocks(n int) string {
	var b, served strings.Builder
	b.WriteString(benchHead)
	served.WriteString("workspace \"w\" {\n")
	for i := range n {
		fmt.Fprintf(&b, `model "org-%[1]d/model-%[1]d-instruct" {
  source       = "file://${var.weights}/org/model-%[1]d"
  backend      = "vllm"
  served_name  = "model-%[1]d"
  aliases      = ["chat/%[1]d", "text/%[1]d"]
  roles        = { caption = 95, narration = 90 }
  capabilities = { tools = true, vision = false }
  license      = "apache-2.0"
  memory       = "12GiB"
  testing      = false
  deprecated   = false

  args = {
    max_model_len       = %[2]d
    enforce_eager       = true
    trust_remote_code   = false
    dtype               = "bfloat16"
    max_num_seqs        = 64
    limit_mm_per_prompt = { image = 2, video = 0 }
  }

  generation = { temperature = 0.7, top_p = 0.8 }

  lifecycle {
    prevent_stop  = true
    start_timeout = "20m"
  }
}

`, i, 2048+i)
		if i%4 == 0 {
			fmt.Fprintf(&served, "  serve \"org-%d/model-%d-instruct\" {\n    port = %d\n    gpus = [\"0\"]\n  }\n", i, i, 20000+i)
		}
	}
	return b.String() + served.String() + "}\n"
}

// benchForEach is one model block over a map of n entries, all served.
func benchForEach(n int) string {
	var b strings.Builder
	b.WriteString(benchHead + "locals {\n  models = {\n")
	for i := range n {
		fmt.Fprintf(&b, `    model-%[1]d = {
      path          = "org/model-%[1]d"
      port          = %[2]d
      gpu           = "0"
      max_model_len = %[3]d
      dtype         = "bfloat16"
      alias         = "chat/%[1]d"
      priority      = 95
    }
`, i, 20000+i, 2048+i)
	}
	b.WriteString(`  }
}

model "fleet" {
  for_each     = local.models
  name         = each.key
  source       = "file://${var.weights}/${each.value.path}"
  backend      = "vllm"
  aliases      = [each.value.alias]
  roles        = { caption = each.value.priority }
  capabilities = { tools = true }
  license      = "apache-2.0"
  args = {
    max_model_len = each.value.max_model_len
    dtype         = each.value.dtype
    enforce_eager = true
  }
  lifecycle {
    start_timeout = "20m"
  }
}

workspace "w" {
  serve "fleet" {
    for_each = local.models
    port     = each.value.port
    gpus     = [each.value.gpu]
  }
}
`)
	return b.String()
}

func BenchmarkLoadBlocks(b *testing.B)  { benchmarkLoad(b, benchBlocks) }
func BenchmarkLoadForEach(b *testing.B) { benchmarkLoad(b, benchForEach) }

func benchmarkLoad(b *testing.B, generate func(int) string) {
	for _, n := range benchSizes {
		text := []byte(generate(n))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := b.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "main.hcl"), text, 0o600); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				l, diags := Load(Options{Dir: dir})
				if diags.HasErrors() || len(l.Models) != n {
					b.Fatal(len(l.Models), diags)
				}
			}
		})
	}
}

// BenchmarkParseOnly is the measure: bare hclparse over the same bytes.
func BenchmarkParseOnly(b *testing.B) {
	for name, generate := range map[string]func(int) string{"Blocks": benchBlocks, "ForEach": benchForEach} {
		for _, n := range benchSizes {
			text := []byte(generate(n))
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					if _, diags := hclparse.NewParser().ParseHCL(text, "main.hcl"); diags.HasErrors() {
						b.Fatal(diags)
					}
				}
			})
		}
	}
}

// TestCost bounds what the language adds to parsing, in bytes allocated, which
// unlike time is the same on every machine, and holds that it grows with the
// number of models and not faster.
func TestCost(t *testing.T) {
	for name, generate := range map[string]func(int) string{"Blocks": benchBlocks, "ForEach": benchForEach} {
		small, large := loadBytes(t, generate(250)), loadBytes(t, generate(2000))
		parse := allocated(func() {
			if _, diags := hclparse.NewParser().ParseHCL([]byte(generate(2000)), "main.hcl"); diags.HasErrors() {
				t.Fatal(diags)
			}
		})
		if large > parse*13/10 {
			t.Errorf("%s: Load allocates %d bytes, parsing alone %d", name, large, parse)
		}
		if large > small*9 {
			t.Errorf("%s: 8 times the models take %.1f times the memory", name, float64(large)/float64(small))
		}
	}
}

func loadBytes(t *testing.T, text string) uint64 {
	dir := write(t, "main.hcl", text)
	return allocated(func() {
		if _, diags := Load(Options{Dir: dir}); diags.HasErrors() {
			t.Fatal(diags)
		}
	})
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
