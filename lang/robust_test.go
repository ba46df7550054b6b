package lang

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/loadoutdev/loadout/engine/plainfile"
)

// What is no regular file, or too large, is told at once, wherever a file is
// named.
func TestOnlyRegularFilesOfSomeSizeAreRead(t *testing.T) {
	model := `model "m" {
  source = %s
}
`
	for name, tt := range map[string]struct {
		place func(path string) error
		want  string
	}{
		"pipe":  {func(path string) error { return syscall.Mkfifo(path, 0o600) }, "is not a regular file"},
		"large": {func(path string) error { return sparse(path, plainfile.MaxText+1) }, "is too large: at most 16 MiB are read"},
	} {
		for file, main := range map[string]string{
			"x.hcl":              "",
			"workspaces/gpu.hcl": "",
			"loadout.hclvars":    "",
			"a.auto.hclvars":     "",
			"f.txt":              fmt.Sprintf(model, `file("f.txt")`),
			"t.txt":              fmt.Sprintf(model, `templatefile("t.txt", {})`),
		} {
			dir := write(t, "main.hcl", main)
			path := filepath.Join(dir, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := tt.place(path); err != nil {
				t.Fatal(err)
			}
			_, diags := Load(Options{Dir: dir})
			if text := showDiagnostics(diags); !strings.Contains(text, tt.want) || !strings.Contains(text, file) {
				t.Errorf("%s %s: %s", name, file, text)
			}
		}
	}
	dir := write(t, "main.hcl", fmt.Sprintf(model, `filesha256("/dev/zero")`))
	if _, diags := Load(Options{Dir: dir}); !strings.Contains(showDiagnostics(diags), "is not a regular file") {
		t.Error(showDiagnostics(diags))
	}
}

// sparse makes a file that takes no room.
func sparse(path string, size int64) error {
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return err
	}
	return os.Truncate(path, size)
}

// No snippet of a file of values is ever at hand: a line of it may be a secret.
func TestFilesOfValuesAreNotShown(t *testing.T) {
	for _, text := range []string{"token = \"hunter22\n", "token = hunter22\n", "token = \"hunter22\"\nother = 1\n"} {
		dir := write(t, "main.hcl", "variable \"token\" {\n  sensitive = true\n}\n")
		if err := os.WriteFile(filepath.Join(dir, "loadout.hclvars"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		l, diags := Load(Options{Dir: dir})
		if !diags.HasErrors() || strings.Contains(showDiagnostics(diags), "hunter22") || l.Files()["loadout.hclvars"] != nil {
			t.Errorf("%q: %s", text, showDiagnostics(diags))
		}
	}
}

// A sensitive key crashes the JSON syntax of HCL; every place asks before it.
func TestSensitiveKeysInJSON(t *testing.T) {
	for _, object := range []string{
		`"locals": {"l": {"${var.key}": 1}}`,
		`"locals": {"l": [{"a": {"${var.key}": 1}}]}`,
		`"model": {"m": {"for_each": {"${var.key}": 1}, "source": "x"}}`,
		`"model": {"m": {"for_each": {"k": 1}, "source": "x", "env": {"${each.key}${var.key}": "x"}}}`,
		`"check": {"c": {"assert": {"condition": {"${var.key}": 1}, "error_message": "x"}}}`,
	} {
		dir := write(t, "main.hcl.json", `{"variable": {"key": {"default": "hunter22", "sensitive": true}}, `+object+`}`)
		l, diags := Load(Options{Dir: dir})
		_, more := l.Checks(nil)
		if text := showDiagnostics(append(diags, more...)); !strings.Contains(text, "a key is sensitive") || strings.Contains(text, "hunter22") {
			t.Errorf("%s: %s", object, text)
		}
	}
}
