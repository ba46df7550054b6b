package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loadoutdev/loadout/engine"
)

func locked(t *testing.T, s *Store) *Locked {
	t.Helper()
	l, err := s.Lock(context.Background(), Self("test", time.Now()), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func begun(t *testing.T, s *Store) *Locked {
	t.Helper()
	l := locked(t, s)
	if err := l.Begin("digest"); err != nil {
		t.Fatal(err)
	}
	return l
}

func write(t *testing.T, l *Locked, edit func(*engine.Snapshot)) {
	t.Helper()
	if _, err := l.Write(edit); err != nil {
		t.Fatal(err)
	}
}

func intent(t *testing.T, l *Locked, op engine.Op, in engine.Instance) int64 {
	t.Helper()
	seq, err := l.Intent(Step{op, in.Model, in})
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func instance(model, token string) engine.Instance {
	return engine.Instance{Model: model, Backend: "vllm", ID: "1", Token: token, Pid: 42}
}

// rich is an instance with everything that must survive the way to disk.
func rich() engine.Instance {
	in := instance(`qwen["a"]`, "t1")
	in.Launch = engine.Launch{Backend: "vllm", Argv: []string{"vllm", "serve"}, Served: []string{"q"}, Port: 8001,
		Env:      map[string]any{"KEY": engine.NewSecret("gpu", "s3cret"), "N": "1"},
		Settings: map[string]any{"num_ctx": int64(1) << 60, "temperature": 0.7, "deep": []any{map[string]any{"x": int64(1)}}}}
	in.LaunchDigest = in.Launch.Digest()
	in.StartedAt = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	return in
}

func TestSnapshotSurvivesTheWayToDisk(t *testing.T) {
	s := Open(filepath.Join(t.TempDir(), ".loadout"), "gpu 0/a")
	if snap, open, err := s.Read(); snap != nil || open != nil || err != nil {
		t.Fatalf("nothing yet: %v %v %v", snap, open, err)
	}
	l := begun(t, s)
	entry := engine.Entry{Name: "q", Served: true, Origins: map[string]string{"port": "a.hcl:3"},
		Values: map[string]any{"port": int64(8001), "args": map[string]any{"t": 0.5, "whole": 4.0}, "key": engine.NewSecret("gpu", "s3cret")}}
	write(t, l, func(n *engine.Snapshot) {
		n.Models = []engine.Entry{{Name: "z", Values: map[string]any{}}, entry}
		n.Instances = []engine.Instance{rich()}
	})
	write(t, l, func(*engine.Snapshot) {})
	snap, _, err := s.Read()
	ok(t, err)
	if snap.Serial != 2 || len(snap.Lineage) != 36 || snap.Workspace != "gpu 0/a" || snap.FormatVersion != engine.SnapshotVersion {
		t.Errorf("head %+v", snap)
	}
	if snap.Models[0].Name != "q" || !engine.EqualValues(snap.Models[0].Values, entry.Values) {
		t.Errorf("models %+v", snap.Models)
	}
	in := snap.Instances[0]
	if in.Launch.Digest() != in.LaunchDigest || in.Launch.Settings["num_ctx"] != int64(1)<<60 {
		t.Errorf("instance %+v", in)
	}
	raw, err := os.ReadFile(filepath.Join(s.Dir(), "snapshot.json"))
	ok(t, err)
	if strings.Contains(string(raw), "s3cret") {
		t.Error("a secret is in the snapshot")
	}
	for _, name := range []string{"snapshot.json", "snapshot.json.backup", "journal.jsonl", "lock"} {
		info, err := os.Stat(filepath.Join(s.Dir(), name))
		ok(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
}

func TestLineageStaysAndBackupIsTheOneBefore(t *testing.T) {
	s := Open(t.TempDir(), "gpu")
	l := begun(t, s)
	write(t, l, func(*engine.Snapshot) {})
	first, err := os.ReadFile(s.path(snapshotFile))
	ok(t, err)
	ok(t, l.Close())
	l = begun(t, s)
	write(t, l, func(*engine.Snapshot) {})
	backup, err := os.ReadFile(s.path(backupFile))
	ok(t, err)
	if string(backup) != string(first) {
		t.Errorf("backup %s", backup)
	}
	a, err := decodeSnapshot(first, "gpu")
	ok(t, err)
	b, _, err := s.Read()
	ok(t, err)
	if a.Lineage != b.Lineage || b.Serial != 2 {
		t.Errorf("lineage %s then %s, serial %d", a.Lineage, b.Lineage, b.Serial)
	}
}

func TestUnreadableSnapshotSaysHowToGoBack(t *testing.T) {
	good := `{"format_version":"1.7","lineage":"L","serial":3,"workspace":"gpu","models":[],"instances":[],"later":{"x":1}}`
	tests := map[string]struct{ content, want string }{
		"later minor":       {good, ""},
		"cut off":           {good[:60], "snapshot.json is not a snapshot: it ends too early"},
		"wrong kind":        {strings.Replace(good, `"serial":3`, `"serial":"x"`, 1), "snapshot.json is not a snapshot: serial is a string"},
		"a list":            {"[]", "snapshot.json is not a snapshot: it holds an array"},
		"later major":       {strings.Replace(good, "1.7", "2.0", 1), `format_version is "2.0"`},
		"no version":        {`{"lineage":"L"}`, `format_version is ""`},
		"no lineage":        {strings.Replace(good, `"L"`, `""`, 1), "lineage is empty"},
		"no serial":         {strings.Replace(good, `"serial":3`, `"serial":0`, 1), "serial is 0"},
		"another workspace": {strings.Replace(good, `"gpu"`, `"cpu"`, 1), `belongs to workspace "cpu"`},
		"two instances":     {strings.Replace(good, `"instances":[]`, `"instances":[{"model":"a"},{"model":"a"}]`, 1), "two instances"},
		"trailing":          {good + "{}", "not a snapshot"},
		"missing":           {"", "no such file"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := Open(t.TempDir(), "gpu")
			ok(t, os.MkdirAll(s.Dir(), 0o700))
			ok(t, os.WriteFile(s.path(backupFile), []byte(good), 0o600))
			if tt.content != "" {
				ok(t, os.WriteFile(s.path(snapshotFile), []byte(tt.content), 0o600))
			}
			_, _, err := s.Read()
			if tt.want == "" {
				ok(t, err)
				return
			}
			var broken *SnapshotError
			if !errors.As(err, &broken) || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v", err)
			}
			way := "cp '" + s.path(backupFile) + "' '" + s.path(snapshotFile) + "'"
			if !strings.Contains(err.Error(), way) {
				t.Errorf("no way back in: %v", err)
			}
			if err := locked(t, s).Begin("d"); !errors.As(err, &broken) {
				t.Errorf("a run began on it: %v", err)
			}
		})
	}
}

func TestReadWritesNothing(t *testing.T) {
	s := Open(t.TempDir(), "gpu")
	l := begun(t, s)
	write(t, l, func(n *engine.Snapshot) { n.Instances = []engine.Instance{rich()} })
	intent(t, l, engine.OpStart, instance("b", "t2"))
	ok(t, l.Close())
	before := listing(t, s.Dir())
	_, open, err := s.Read()
	ok(t, err)
	if _, err := s.History(); err != nil {
		t.Error(err)
	}
	if h, err := s.Holder(); h != nil || err != nil {
		t.Errorf("holder %v %v", h, err)
	}
	if diff := cmp.Diff(before, listing(t, s.Dir())); diff != "" || len(open) != 1 {
		t.Errorf("open %v, changed:\n%s", open, diff)
	}
}

func listing(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	ok(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			out[path] = info.Mode().String() + info.ModTime().String()
		}
		return err
	}))
	return out
}

func TestEscape(t *testing.T) {
	tests := map[string]string{
		"qwen2.5_(AWQ)": "qwen2.5_(AWQ)",
		`qwen["a"]`:     "qwen%5B%22a%22%5D",
		"chat/default":  "chat%2Fdefault",
		"..":            "%2E.",
		".hidden":       "%2Ehidden",
		"100%":          "100%25",
		"модель":        "модель",
		"a b":           "a%20b",
		"":              "%",
		"\xff":          "%FF",
		"\uFFFD":        "%EF%BF%BD",
	}
	seen := map[string]string{}
	for name, want := range tests {
		got := Escape(name)
		if got != want {
			t.Errorf("Escape(%q) = %q, want %q", name, got, want)
		}
		if other, twice := seen[got]; twice {
			t.Errorf("%q and %q are both %q", name, other, got)
		}
		seen[got] = name
	}
	a, b := Escape(strings.Repeat("ы/", 300)+"a"), Escape(strings.Repeat("ы/", 300)+"b")
	if a == b || len(a) > 255 || filepath.Base(a) != a {
		t.Errorf("long names: %q (%d bytes)", a, len(a))
	}
}

func TestNextLaunch(t *testing.T) {
	s := Open(t.TempDir(), "gpu")
	l := begun(t, s)
	in := instance("a", "t")
	in.ID = "7"
	write(t, l, func(n *engine.Snapshot) { n.Instances = []engine.Instance{in} })
	ok(t, l.Close())
	ok(t, os.MkdirAll(filepath.Join(s.Dir(), "logs", "b"), 0o700))
	ok(t, os.WriteFile(filepath.Join(s.Dir(), LogPath("b", "11")), nil, 0o600))
	l = begun(t, s)
	for _, want := range []struct{ model, id string }{{"a", "8"}, {"a", "9"}, {"b", "12"}, {"c", "1"}} {
		if got, err := l.NextLaunch(want.model); got != want.id || err != nil {
			t.Errorf("%s: %s %v, want %s", want.model, got, err, want.id)
		}
	}
}

// What is no file in the place of one is told, with the way out; a pipe that
// nobody writes to is not waited for.
func TestNotAFile(t *testing.T) {
	for name, make := range map[string]func(string) error{
		"is a directory, not a file": func(path string) error { return os.Mkdir(path, 0o700) },
		"is not a regular file":      func(path string) error { return syscall.Mkfifo(path, 0o600) },
	} {
		for file, way := range map[string]string{snapshotFile: "move it away to begin anew", journalFile: "then move it away"} {
			s := Open(t.TempDir(), "gpu")
			ok(t, os.MkdirAll(s.Dir(), 0o700))
			ok(t, make(s.path(file)))
			_, _, err := s.Read()
			if err == nil || !strings.Contains(err.Error(), s.path(file)+" cannot be") || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), way) {
				t.Errorf("%s: %v", file, err)
			}
			if file == snapshotFile {
				ok(t, os.WriteFile(s.path(backupFile), nil, 0o600))
				if _, _, err := s.Read(); err == nil || !strings.Contains(err.Error(), "move it away, then cp ") {
					t.Errorf("with a backup: %v", err)
				}
			}
		}
	}
}
