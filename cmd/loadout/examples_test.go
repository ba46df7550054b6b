package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/loadoutdev/loadout/lang"
)

// TestExamples compares the plan of every workspace of every example with
// plan.golden, or plan-WORKSPACE.golden where there are several. The demo has
// none: its weights lie in the checkout, whose path would be in the plan.
func TestExamples(t *testing.T) {
	for _, document := range documents(t) {
		dir := filepath.Dir(document)
		if dir == root {
			continue
		}
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Chdir(dir)
			if code, said := loadout("fmt", "--check", "--diff"); code != 0 {
				t.Errorf("not in canonical form:\n%s", said)
			}
			workspaces, err := lang.Workspaces(".")
			if err != nil || len(workspaces) == 0 {
				t.Fatalf("workspaces %v: %v", workspaces, err)
			}
			if filepath.Base(dir) == "demo" {
				return
			}
			for _, name := range workspaces {
				golden := "plan-" + name + ".golden"
				if len(workspaces) == 1 {
					golden = "plan.golden"
				}
				comparePlan(t, golden, name)
			}
		})
	}
}

// comparePlan holds a plan, as one sees it on a terminal, against a file.
func comparePlan(t *testing.T, golden, workspace string) {
	t.Helper()
	code, got := loadout("plan", "--refresh=false", "-w", workspace)
	if code != 0 {
		t.Errorf("plan -w %s: exit code %d", workspace, code)
	}
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not the plan of the files (go test -update rewrites it), which is:\n%s", golden, got)
	}
}

// TestProfiles: each profile of configs/ loads with an example, and what it says
// reaches the model.
func TestProfiles(t *testing.T) {
	profiles, err := os.ReadFile(filepath.Join(root, "configs", "profiles.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	if formatted := lang.Format(profiles); string(formatted) != string(profiles) {
		t.Error("configs/profiles.hcl is not in canonical form")
	}
	models, err := os.ReadFile(filepath.Join(root, "examples/vllm-single-gpu/models.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^profile "(.*)"`).FindAllStringSubmatch(string(profiles), -1) {
		names = append(names, m[1])
	}
	if want := []string{"constrained_16gb", "balanced_24gb", "multi_gpu_2x16gb", "generous_96gb", "development"}; !slices.Equal(names, want) {
		t.Errorf("configs/profiles.hcl has %v, want %v", names, want)
	}
	for _, name := range names {
		files := map[string]string{"models.hcl": string(models), "profiles.hcl": string(profiles), "workspaces/box.hcl": twoGPUs(name)}
		if code, said := inDir(t, files, "validate"); code != 0 {
			t.Errorf("%s: validate exits with %d:\n%s", name, code, said)
		}
		if _, said := inDir(t, files, "explain", "qwen2.5-7b", "args"); !strings.Contains(said, `profile "`+name+`"`) {
			t.Errorf("%s does not reach the model:\n%s", name, said)
		}
	}
}

// twoGPUs is a workspace on which every profile makes sense.
func twoGPUs(profile string) string {
	return `workspace "box" {
  profile = "` + profile + `"
  gpu "0" {
    memory = "16GiB"
  }
  gpu "1" {
    memory = "16GiB"
  }
  serve "qwen2.5-7b" {
    port = 24001
    gpus = ["0", "1"]
  }
}
`
}
