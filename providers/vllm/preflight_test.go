package vllm

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/loadoutdev/loadout/engine"
)

// write puts a file into the model directory.
func (b *bench) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(b.files, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// shard is a safetensors file with one tensor of four bytes.
func shard() string {
	header := `{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header + "\x00\x00\x80\x3f"
}

// whole is a model in two shards with an index.
func (b *bench) whole(t *testing.T) {
	t.Helper()
	b.write(t, "config.json", "{}")
	b.write(t, indexFile, `{"weight_map":{"a":"1.safetensors","b":"2.safetensors","c":"1.safetensors"}}`)
	b.write(t, "1.safetensors", shard())
	b.write(t, "2.safetensors", shard())
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	gone := func(name string) func(*testing.T, *bench, *engine.Launch) {
		return func(t *testing.T, b *bench, _ *engine.Launch) {
			if err := os.RemoveAll(filepath.Join(b.files, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	has := func(name, content string) func(*testing.T, *bench, *engine.Launch) {
		return func(t *testing.T, b *bench, _ *engine.Launch) { b.write(t, name, content) }
	}
	tests := map[string]struct {
		edit        func(*testing.T, *bench, *engine.Launch)
		class, says string // empty: nothing is wrong
	}{
		"whole":        {nil, "", ""},
		"no directory": {gone(""), classMissing, "does not exist"},
		"no config":    {gone("config.json"), classMissing, "config.json does not exist"},
		"params instead": {func(t *testing.T, b *bench, l *engine.Launch) {
			gone("config.json")(t, b, l)
			b.write(t, "params.json", "{}")
		}, "", ""},
		"no shard":         {gone("2.safetensors"), classMissing, "2.safetensors does not exist"},
		"not in the index": {has("consolidated.safetensors", "x"), "", ""},
		"no index": {func(t *testing.T, b *bench, l *engine.Launch) {
			gone(indexFile)(t, b, l)
			b.write(t, "2.safetensors", "x")
		}, classBadFile, "cut short"},
		"index damaged":     {has(indexFile, "{"), classBadFile, "no JSON"},
		"index leads out":   {has(indexFile, `{"weight_map":{"a":"../x"}}`), classBadFile, "outside"},
		"pointer":           {has("1.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), classBadFile, "git lfs pull"},
		"empty":             {has("1.safetensors", ""), classBadFile, "cut short"},
		"header cut":        {has("1.safetensors", shard()[:20]), classBadFile, "cut short"},
		"last byte missing": {has("1.safetensors", shard()[:len(shard())-1]), classBadFile, "cut short"},
		"a byte too many":   {has("1.safetensors", shard()+"x"), classBadFile, "and should have"},
		"something else":    {has("1.safetensors", "<!DOCTYPE html><html>"), classBadFile, "no safetensors"},
		"header no JSON":    {has("1.safetensors", "\x02\x00\x00\x00\x00\x00\x00\x00[]"), classBadFile, "damaged"},
		"other format": {func(t *testing.T, b *bench, l *engine.Launch) {
			gone("1.safetensors")(t, b, l)
			l.Argv = append(l.Argv, "--load-format", "dummy")
		}, "", ""},
		"no program":        {func(_ *testing.T, _ *bench, l *engine.Launch) { l.Argv[0] = "no-such-vllm" }, classCommand, "no such program in PATH"},
		"program not there": {func(_ *testing.T, _ *bench, l *engine.Launch) { l.Argv[0] = "/no/such/vllm" }, classCommand, "no such file"},
		"not executable":    {func(_ *testing.T, b *bench, l *engine.Launch) { l.Argv[0] = filepath.Join(b.files, "config.json") }, classCommand, "not executable"},
		"PATH declared wrong": {func(_ *testing.T, _ *bench, l *engine.Launch) {
			l.Argv[0], l.Env = "sh", map[string]any{"PATH": "/nope"}
		}, classCommand, "/nope"},
		"NUL in a value":       {func(_ *testing.T, _ *bench, l *engine.Launch) { l.Env = map[string]any{"A": "a\x00b"} }, classCommand, "NUL"},
		"secret not at hand":   {func(_ *testing.T, _ *bench, l *engine.Launch) { l.Env = map[string]any{"A": engine.Secret{}} }, classArgument, "hash"},
		"a name, not a folder": {func(_ *testing.T, _ *bench, l *engine.Launch) { l.Model = "org/qwen" }, "", ""},
		"port taken": {func(t *testing.T, b *bench, _ *engine.Launch) {
			ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(b.port)))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { ln.Close() })
		}, classPort, strconv.Itoa(os.Getpid())},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.whole(t)
			l := b.launch(t, "good")
			if tt.edit != nil {
				tt.edit(t, b, &l)
			}
			err := b.Preflight(context.Background(), l, nil, engine.StartOptions{Model: "tiny", StateDir: b.dir})
			if tt.class == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if e := startError(t, err, tt.class); !strings.Contains(e.Cause, tt.says) || e.Status != "not started" {
				t.Errorf("%+v", e)
			}
			if left, _ := os.ReadDir(b.dir); len(left) > 0 {
				t.Errorf("it left %v", left)
			}
		})
	}
}

// What is about to be stopped holds neither its port nor its name against the
// start that takes its place; anybody else does.
func TestPreflightInPlaceOf(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.whole(t)
	in := b.started(t, "good")
	opt := engine.StartOptions{Model: "tiny", StateDir: b.dir}
	if err := b.Preflight(context.Background(), in.Launch, []engine.Instance{in}, opt); err != nil {
		t.Error(err)
	}
	startError(t, b.Preflight(context.Background(), in.Launch, nil, opt), classPort)
	if live, err := b.Inspect(context.Background(), in, engine.InspectOptions{StateDir: b.dir}); err != nil || live.State != engine.StateReady {
		t.Errorf("after the look: %s %s %v", live.State, live.Detail, err)
	}
}

// A launch that is put back gets the PATH that its process had.
func TestStartWithGivenEnvironment(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	opt := b.options()
	opt.Environ = []string{"PATH=/its/own", "NOT_PASSED=x"}
	in, err := b.start(t, b.launch(t, "good"), opt)
	if err != nil {
		t.Fatal(err)
	}
	env, err := b.Reveal(context.Background(), in)
	if _, passed := env["NOT_PASSED"]; err != nil || env["PATH"] != "/its/own" || passed {
		t.Errorf("%v %v", env, err)
	}
}

// A copy of the state directory has the token too, and must not take the server
// over; the state directory may be moved.
func TestCopiedAndMovedState(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	home := filepath.Join(t.TempDir(), "state")
	b.dir = home
	in := b.started(t, "good")
	if err := os.WriteFile(filepath.Join(home, "snapshot.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(home)); err != nil {
		t.Fatal(err)
	}
	live, err := b.Inspect(context.Background(), in, engine.InspectOptions{StateDir: copied})
	if err != nil || live.State != engine.StateForeign || !strings.Contains(live.Detail, "belongs to "+home) {
		t.Errorf("copy: %s %s %v", live.State, live.Detail, err)
	}
	if err := b.Stop(context.Background(), in, engine.StopOptions{StateDir: copied}); err == nil || !strings.Contains(err.Error(), home) {
		t.Errorf("the copy stops it: %v", err)
	}
	moved := home + "-moved"
	if err := os.Rename(home, moved); err != nil {
		t.Fatal(err)
	}
	b.dir = moved
	live, err = b.Inspect(context.Background(), in, engine.InspectOptions{StateDir: moved})
	if err != nil || live.State != engine.StateReady {
		t.Errorf("moved: %s %s %v", live.State, live.Detail, err)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := b.started(t, "good") // in nobody's record, as after a model was forgotten
	root := filepath.Join(b.dir, "launches")
	for _, name := range []string{"kept", "over"} {
		if err := os.MkdirAll(filepath.Join(root, name, "tmp"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Sweep(root, []string{"kept"}); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(root)
	if got := fmt.Sprint(left); err != nil || len(left) != 2 || !strings.Contains(got, "kept") || !strings.Contains(got, filepath.Base(in.Dir)+"/") {
		t.Errorf("left %v %v", left, err)
	}
	if err := b.Sweep(filepath.Join(b.dir, "none"), nil); err != nil {
		t.Error(err)
	}
}
