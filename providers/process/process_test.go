package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

// start starts a part and waits until so many processes of it say that they are
// asleep.
func start(t *testing.T, asleep int, part ...string) *Child {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	token := fmt.Sprintf("token-%d-%d", os.Getpid(), time.Now().UnixNano())
	c, err := Start(Spec{
		Argv: append([]string{exe, "play"}, part...), Dir: dir, Log: filepath.Join(dir, "log"),
		Env: []string{"PATH=/bin", TokenVar + "=" + token}, Token: token,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := Stop(context.Background(), c.Identity, StopOptions{}); err != nil && !errors.Is(err, engine.ErrForeign) {
			t.Error(err)
		}
	})
	eventually(t, func() bool { return strings.Count(logOf(t, c), "asleep") >= asleep })
	return c
}

func logOf(t *testing.T, c *Child) string {
	t.Helper()
	lines, err := Lines(c.Log, c.Offset, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("it did not happen within 10 s")
}

func look(t *testing.T, id Identity) Sighting {
	t.Helper()
	s, err := id.Look()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func stop(t *testing.T, c *Child, timeout time.Duration) {
	t.Helper()
	if err := Stop(context.Background(), c.Identity, StopOptions{Timeout: timeout}); err != nil {
		t.Fatal(err)
	}
	if s := look(t, c.Identity); s.Standing != Gone {
		t.Errorf("after Stop: %+v", s)
	}
}

func TestStartMakesASession(t *testing.T) {
	c := start(t, 1, "sleep")
	p, ok := Lookup(c.Pid)
	if !ok || p.Session != c.Pid || p.Group != c.Pid || p.Session == getsid() {
		t.Errorf("session and group are not its own: %+v", p)
	}
	if s := look(t, c.Identity); s.Standing != Running || len(s.Members) != 1 {
		t.Errorf("%+v", s)
	}
	if c.Status() != "alive" {
		t.Error(c.Status())
	}
	stop(t, c, 5*time.Second)
	<-c.Ended()
	if c.Status() != "signal: terminated" {
		t.Error(c.Status())
	}
}

func TestStartInheritsNothing(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	inherited, err := syscall.Dup(int(w.Fd())) // without close-on-exec, as from a shell
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(inherited)
	c := start(t, 0, "fds")
	<-c.Ended()
	log := bufio.NewScanner(strings.NewReader(logOf(t, c)))
	for log.Scan() {
		f := append(strings.Fields(log.Text()), "") // the listing itself is closed by now
		switch {
		case f[1] == "0" && f[2] != "/dev/null":
			t.Errorf("standard input: %s", log.Text())
		case strings.HasPrefix(f[2], "pipe:"):
			t.Errorf("inherited: %s", log.Text())
		}
	}
	info, err := os.Stat(c.Log)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("log: %v %v", info.Mode(), err)
	}
}

func TestStartErrors(t *testing.T) {
	dir := t.TempDir()
	for name, argv := range map[string][]string{
		"no such program in PATH": {"no-such-program"},
		"no such file":            {"/no/such/program"},
		"is empty":                {},
		"not executable":          {dir},
	} {
		_, err := Start(Spec{Argv: argv, Dir: dir, Log: filepath.Join(dir, "log"), Env: []string{"PATH=/bin"}})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v: %v", argv, err)
		}
	}
}

func TestStopSwallowedTerm(t *testing.T) {
	c := start(t, 1, "swallow")
	stop(t, c, 20*time.Second)
	if !strings.Contains(logOf(t, c), "second TERM") {
		t.Error("it was killed instead of asked twice")
	}
}

func TestStopDeaf(t *testing.T) {
	c := start(t, 1, "deaf")
	stop(t, c, 300*time.Millisecond)
	<-c.Ended()
	if c.Status() != "signal: killed" {
		t.Error(c.Status())
	}
}

func TestStopFamilyWithTracker(t *testing.T) {
	c := start(t, 5, "family", "deaf", "sleep", "hidden", "tracker")
	members := look(t, c.Identity).Members
	if len(members) != 5 || members[0].Pid != c.Pid {
		t.Fatalf("members: %v", members)
	}
	stop(t, c, 5*time.Second)
	for _, m := range members {
		if p, alive := Lookup(m.Pid); alive && p.Start == m.Start {
			t.Errorf("%s lives", p)
		}
	}
	if !strings.Contains(logOf(t, c), "cleaned up") {
		t.Error("the tracker was killed before it could clean up")
	}
}

func TestStopOrphans(t *testing.T) {
	c := start(t, 3, "family", "deaf", "sleep")
	if err := syscall.Kill(c.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-c.Ended()
	if s := look(t, c.Identity); s.Standing != Orphans || len(s.Members) != 2 {
		t.Fatalf("%+v", s)
	}
	found, ok, err := Find(c.Token)
	if err != nil || !ok || found.Pid != c.Pid {
		t.Errorf("Find: %+v %v %v", found, ok, err)
	}
	if s := look(t, found); s.Standing != Orphans || len(s.Members) != 2 {
		t.Errorf("found by token: %+v", s)
	}
	stop(t, c, time.Second)
}

func TestZombieIsDead(t *testing.T) {
	exe, _ := os.Executable()
	cmd := exec.Command(exe, "play", "family") // our own child, not waited for
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	id, err := identify(cmd.Process.Pid, "")
	if err != nil {
		t.Fatal(err)
	}
	if s := look(t, id); s.Standing != Running {
		t.Errorf("%+v", s)
	}
	cmd.Process.Kill()
	eventually(t, func() bool { return look(t, id).Standing == Gone })
}

func TestFind(t *testing.T) {
	c := start(t, 3, "family", "hidden", "sleep")
	found, ok, err := Find(c.Token)
	if err != nil || !ok || found != c.Identity {
		t.Errorf("found %+v %v %v, want %+v", found, ok, err, c.Identity)
	}
	if _, ok, err := Find("nobody has this token"); ok || err != nil {
		t.Error(ok, err)
	}
	if _, ok, err := Find(""); ok || err != nil {
		t.Error(ok, err)
	}
}

func TestStrangersAreNotSignalled(t *testing.T) {
	c := start(t, 1, "deaf")
	for name, change := range map[string]func(*Identity){
		"start time":    func(id *Identity) { id.StartTime-- },
		"boot":          func(id *Identity) { id.BootID = "another" },
		"token":         func(id *Identity) { id.Token = "another" },
		"nothing known": func(id *Identity) { *id = Identity{Pid: id.Pid} },
	} {
		id := c.Identity
		change(&id)
		err := Stop(context.Background(), id, StopOptions{Timeout: 50 * time.Millisecond})
		if !errors.Is(err, engine.ErrForeign) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s := look(t, c.Identity); s.Standing != Running {
		t.Errorf("a stranger was signaled: %+v", s)
	}
}

func TestStopGone(t *testing.T) {
	c := start(t, 1, "sleep")
	stop(t, c, 5*time.Second)
	stop(t, c, 5*time.Second)
	for _, id := range []Identity{{}, {Pid: 1 << 30, StartTime: 1, BootID: c.BootID}, {Pid: 1 << 30}} {
		if err := Stop(context.Background(), id, StopOptions{}); err != nil {
			t.Errorf("%+v: %v", id, err)
		}
	}
}

func TestStopInterrupted(t *testing.T) {
	c := start(t, 1, "deaf")
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if err := Stop(ctx, c.Identity, StopOptions{Timeout: time.Minute}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
