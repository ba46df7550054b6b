package process

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loadoutdev/loadout/engine"
)

func TestEnvironment(t *testing.T) {
	l := engine.Launch{
		Env:  map[string]any{"HF_HUB_OFFLINE": "1", "VLLM_API_KEY": engine.NewSecret("w", "k"), "LANG": "declared"},
		GPUs: []string{"GPU-1", "GPU-2"},
	}
	host := []string{"PATH=/bin", "LANG=host", "LC_ALL=C", "XDG_CACHE_HOME=/c", "http_proxy=p", "PYTHONDONTWRITEBYTECODE=1", "VLLM_PORT=1", "TMPDIR=/other", "LOADOUT_INSTANCE=other"}
	got, err := Environment(l, host, engine.StartOptions{Token: "tok"}, "/tmp/x")
	want := []string{"CUDA_VISIBLE_DEVICES=GPU-1,GPU-2", "HF_HUB_OFFLINE=1", "LANG=declared", "LC_ALL=C", "LOADOUT_INSTANCE=tok", "PATH=/bin", "TMPDIR=/tmp/x", "VLLM_API_KEY=k", "XDG_CACHE_HOME=/c", "http_proxy=p"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q %v", got, err)
	}
}

func TestEnvironmentOfHashedSecret(t *testing.T) {
	var s engine.Secret
	if err := s.UnmarshalJSON([]byte(`{"$secret":"abcdefabcdef"}`)); err != nil {
		t.Fatal(err)
	}
	_, err := Environment(engine.Launch{Env: map[string]any{"K": s}}, nil, engine.StartOptions{Token: "t"}, "/t")
	if err == nil || !strings.Contains(err.Error(), "env.K") {
		t.Error(err)
	}
	if _, err := Environment(engine.Launch{Env: map[string]any{"K": int64(1)}}, nil, engine.StartOptions{Token: "t"}, "/t"); err == nil {
		t.Error("a number is no string")
	}
}

func TestMakeAndRemoveDir(t *testing.T) {
	for _, long := range []bool{false, true} {
		root := t.TempDir()
		t.Setenv("TMPDIR", root)
		dir := filepath.Join(root, "a")
		if long {
			dir = filepath.Join(root, strings.Repeat("long", 20))
		}
		tmp, err := MakeDir(dir, []engine.File{{Name: "chat_template.jinja", Content: []byte("{{ x }}")}})
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(dir, "chat_template.jinja"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info, err)
		}
		if !long && len(dir) < tmpLimit-4 && tmp != filepath.Join(dir, "tmp") {
			t.Errorf("tmp is %s", tmp)
		}
		if long && len(tmp) >= len(dir) {
			t.Errorf("tmp is %s", tmp)
		}
		if err := os.WriteFile(filepath.Join(tmp, "x"), nil, 0o600); err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := RemoveDir(dir); err != nil {
				t.Error(err)
			}
		}
		for _, p := range []string{dir, tmp} {
			if _, err := os.Lstat(p); err == nil {
				t.Errorf("%s is still there", p)
			}
		}
	}
}

func TestRemoveDirFollowsNoStrangeLink(t *testing.T) {
	dir, precious := t.TempDir(), t.TempDir()
	if err := os.Symlink(precious, filepath.Join(dir, "tmp")); err != nil {
		t.Fatal(err)
	}
	if err := RemoveDir(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
}

func TestMakeDirRefusesNames(t *testing.T) {
	for _, f := range []engine.File{{Name: "../x"}, {Name: "tmp"}, {Name: "t", SHA256: "aa"}} {
		if _, err := MakeDir(t.TempDir(), []engine.File{f}); err == nil {
			t.Errorf("%+v was accepted", f)
		}
	}
}

func TestLinesAndFollow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	follow := Follow(path, 4)
	if got := follow.Next(); got != nil {
		t.Errorf("%q", got)
	}
	if got, err := Lines(path, 4, 100); got != nil || err != nil {
		t.Errorf("%q %v", got, err)
	}
	write := func(s string) {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		f.WriteString(s)
	}
	write("old\none\r 10%\r 20")
	if got := follow.Next(); !slices.Equal(got, []string{"one", " 10%"}) {
		t.Errorf("%q", got)
	}
	write("%\ntwo\n")
	if got := follow.Next(); !slices.Equal(got, []string{" 20%", "two"}) {
		t.Errorf("%q", got)
	}
	got, err := Lines(path, 4, 100)
	if err != nil || !slices.Equal(got, []string{"one", " 10%", " 20%", "two"}) {
		t.Errorf("%q %v", got, err)
	}
	if got, err := Lines(path, 4, 4); err != nil || !slices.Equal(got, []string{"two"}) {
		t.Errorf("%q %v", got, err)
	}
}

// A GPU that is known by its number only is counted as nvidia-smi counts; where
// the host told the UUID, that is what the process sees.
func TestVisibleDevices(t *testing.T) {
	l := engine.Launch{GPUs: []string{"0", "1"}}
	env := func(devices map[string]string) string {
		words, err := Environment(l, nil, engine.StartOptions{Token: "t", Devices: devices}, "/t")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(words, " ")
	}
	if got := env(map[string]string{"0": "GPU-a"}); !strings.Contains(got, "CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES=GPU-a,1") {
		t.Error(got)
	}
	if got := env(map[string]string{"0": "GPU-a", "1": "GPU-b"}); strings.Contains(got, "ORDER") || !strings.Contains(got, "GPU-a,GPU-b") {
		t.Error(got)
	}
}
