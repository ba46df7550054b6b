package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What people type at first is refused with the way out.
func TestArgumentsNameTheWayOut(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct{ typed, says string }{
		{"aply", "did you mean loadout apply?"},
		{"frobnicate", "see loadout --help"},
		{"plan box", "plan takes no argument; for a workspace: -w box"},
		{"destroy box", "-w box"},
		{"drift box", "-w box"},
		{"list box", "-w box"},
		{"validate models.hcl", "-C DIR"},
		{"apply coder", "there is no file coder; without one it applies the whole workspace"},
		{"apply a b", "one saved plan (plan --out), not 2"},
		{"show coder", "without one it shows what the last apply recorded"},
		{"probe", "probe needs a MODEL: see loadout list"},
		{"probe coder hello", `"hello" is one argument too many; the message is --prompt TEXT`},
		{"explain", "explain needs a MODEL: see loadout list"},
		{"explain a b c", `"c" is one argument too many`},
		{"discover http://127.0.0.1:11434", `discover { ollama = "http://127.0.0.1:11434" }`},
		{"discover hf://org/name", "not sources like hf://org/name"},
	} {
		code, said := loadout(strings.Fields(c.typed)...)
		if code != exitError || !strings.Contains(said, c.says) {
			t.Errorf("loadout %s: exit code %d, says %q, want %q in it", c.typed, code, said, c.says)
		}
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("something was written: %v %v", left, err)
	}
}

// A saved plan that is there passes, whatever it holds: that is for later.
func TestSavedPlanThatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := savedPlan("")(nil, []string{path}); err != nil {
		t.Error(err)
	}
}

// Help must not be broken by a terminal of 80 columns.
func TestHelpFitsTheScreen(t *testing.T) {
	root := newRoot(&cli{})
	root.InitDefaultHelpFlag()
	for _, c := range append(slices.Clone(root.Commands()), root) {
		args := []string{c.Name(), "--help"}
		if c == root {
			args = args[1:]
		}
		code, said := loadout(args...)
		if code != exitOK {
			t.Errorf("%v: exit code %d", args, code)
		}
		for line := range strings.Lines(said) {
			if line = strings.TrimSuffix(line, "\n"); len([]rune(line)) > 80 {
				t.Errorf("%v: wider than 80 columns: %s", args, line)
			}
		}
	}
}
