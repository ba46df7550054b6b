package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

// childEnv names the state directory in which a copy of the test binary plays a
// part; roleEnv says which.
const (
	childEnv = "LOADOUT_STORE_TEST_DIR"
	roleEnv  = "LOADOUT_STORE_TEST_ROLE"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		os.Exit(child(dir, os.Getenv(roleEnv)))
	}
	os.Exit(m.Run())
}

func child(dir, role string) int {
	s := Open(dir, "gpu")
	l, err := s.Lock(context.Background(), Self("loadout apply", time.Now()), 0)
	if err == nil && role == "full disk" {
		err = fillDisk(l)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("locked")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // until the parent lets go
	return 0
}

func startChild(t *testing.T, dir, role string) (*exec.Cmd, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir, roleEnv+"="+role)
	out, err := cmd.StdoutPipe()
	ok(t, err)
	in, err := cmd.StdinPipe()
	ok(t, err)
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	ok(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	ok(t, err)
	return cmd, strings.TrimSpace(line)
}

func TestLockOfTwoProcesses(t *testing.T) {
	dir := t.TempDir()
	cmd, said := startChild(t, dir, "hold")
	if said != "locked" {
		t.Fatal(said)
	}
	s := Open(dir, "gpu")
	_, err := s.Lock(context.Background(), Self("loadout plan", time.Now()), 0)
	var held *HeldError
	if !errors.As(err, &held) || held.Holder == nil || held.Holder.Pid != cmd.Process.Pid {
		t.Fatalf("error %v", err)
	}
	for _, part := range []string{"loadout apply", fmt.Sprint("pid ", cmd.Process.Pid), "gpu", held.Holder.Host, held.Holder.User} {
		if part == "" || !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in: %v", part, err)
		}
	}
	if h, err := s.Holder(); err != nil || h == nil || h.Pid != cmd.Process.Pid {
		t.Errorf("holder %v %v", h, err)
	}
	// Killed without any chance to clean up: the kernel gives the lock back to
	// somebody who waits for it.
	time.AfterFunc(100*time.Millisecond, func() { _ = cmd.Process.Kill() })
	l, err := s.Lock(context.Background(), Self("loadout apply", time.Now()), 10*time.Second)
	ok(t, err)
	if _, said := startChild(t, dir, "hold"); !strings.Contains(said, fmt.Sprint("pid ", os.Getpid())) {
		t.Errorf("the second process was told %q", said)
	}
	ok(t, l.Close())
	if h, err := s.Holder(); h != nil || err != nil {
		t.Errorf("holder after the end: %v %v", h, err)
	}
}

func TestLockWaitEndsWithTheContext(t *testing.T) {
	s := Open(t.TempDir(), "gpu")
	locked(t, s)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := s.Lock(ctx, Self("x", time.Now()), time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestLookingDoesNotDisturbLocking(t *testing.T) {
	s := Open(t.TempDir(), "gpu")
	ok(t, locked(t, s).Close())
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				_, _ = s.Holder()
				time.Sleep(time.Millisecond)
			}
		}
	}()
	for range 20 {
		ok(t, locked(t, s).Close())
	}
	close(stop)
	<-done
}

// TestFullDisk runs where files may not grow beyond a limit, so that writes fail
// half-way, as on a full disk.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if _, said := startChild(t, dir, "full disk"); said != "locked" {
		t.Fatal(said)
	}
	s := Open(dir, "gpu")
	snap, open, err := s.Read()
	ok(t, err)
	if snap.Serial != 1 || len(open) != 1 || open[0].Model != "small" {
		t.Errorf("after a full disk: serial %d, open %+v", snap.Serial, open)
	}
}

const sizeLimit = 4096

func fillDisk(l *Locked) error {
	signal.Ignore(syscall.SIGXFSZ)
	if err := l.Begin("d"); err != nil {
		return err
	}
	if _, err := l.Write(func(*engine.Snapshot) {}); err != nil {
		return err
	}
	limit := syscall.Rlimit{Cur: sizeLimit, Max: sizeLimit}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	big := engine.Instance{Model: "big", Token: "b", Log: strings.Repeat("x", 2*sizeLimit)}
	if _, err := l.Intent(Step{engine.OpStart, "big", big}); !errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("a record that did not fit: %w", err)
	}
	if _, err := l.Write(func(n *engine.Snapshot) { n.Instances = []engine.Instance{big} }); !errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("a snapshot that did not fit: %w", err)
	}
	_, err := l.Intent(Step{engine.OpStart, "small", engine.Instance{Model: "small", Token: "s"}})
	return err
}
