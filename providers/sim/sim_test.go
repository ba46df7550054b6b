package sim

import (
	"bytes"
	goflag "flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// actAs makes the test binary be the program under test.
const actAs = "SIM_TEST_ACT_AS_PROGRAM"

func TestMain(m *testing.M) {
	switch {
	case IsChild(os.Args[0]):
		os.Exit(Child(os.Args[0]))
	case os.Getenv(actAs) != "":
		os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr))
	}
	goflag.Parse()
	_ = goflag.Set("test.parallel", "8") // the servers mostly wait
	os.Exit(m.Run())
}

// server is one started stand-in.
type server struct {
	t    *testing.T
	cmd  *exec.Cmd
	port int
	base string
	done chan struct{}
}

// model writes the tiny model of most tests.
func model(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := WriteWeights(dir, Weights{Words: "the quick brown fox"}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// launch starts `sim vllm serve dir` on a free port in a session of its own and
// kills the whole session at the end of the test.
func launch(t *testing.T, dir string, env []string, flags ...string) *server {
	t.Helper()
	return launchOn(t, freePort(t), dir, env, flags...)
}

func launchOn(t *testing.T, port int, dir string, env []string, flags ...string) *server {
	t.Helper()
	return launchTo(t, logFile(t), port, dir, env, flags...)
}

// launchTo logs to files, as a manager does: a pipe of os/exec would keep Wait
// from returning while orphans hold it.
func launchTo(t *testing.T, stdout *os.File, port int, dir string, env []string, flags ...string) *server {
	t.Helper()
	s := &server{t: t, port: port, base: fmt.Sprintf("http://127.0.0.1:%d", port), done: make(chan struct{})}
	args := append([]string{"vllm", "serve", dir, "--host", "127.0.0.1", "--port", fmt.Sprint(port), "--served-model-name=tiny"}, flags...)
	s.cmd = exec.Command("/proc/self/exe", args...)
	s.cmd.Env = append(os.Environ(), append([]string{actAs + "=1", "LOADOUT_SIM_LOAD=200ms"}, env...)...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	s.cmd.Stdout, s.cmd.Stderr = stdout, logFile(t)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.cmd.Wait(); close(s.done) }()
	t.Cleanup(func() {
		syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		<-s.done
		if t.Failed() {
			t.Logf("stdout:\n%s\nstderr:\n%s", s.stdout(), s.stderr())
		}
	})
	return s
}

func logFile(t *testing.T) *os.File {
	f, err := os.CreateTemp(t.TempDir(), "log")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func (s *server) stdout() string { return contents(s.cmd.Stdout.(*os.File).Name()) }
func (s *server) stderr() string { return contents(s.cmd.Stderr.(*os.File).Name()) }

func contents(path string) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// eventually waits for something that must come true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

func (s *server) ready() *server {
	s.t.Helper()
	eventually(s.t, "ready", func() bool { return s.status("/health") == 200 || s.ended() })
	if s.ended() {
		s.t.Fatalf("ended before it was ready: %v", s.cmd.ProcessState)
	}
	return s
}

func (s *server) ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// status is 0 when the connection is refused.
func (s *server) status(path string) int {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Get(s.base + path)
	if err != nil {
		return 0
	}
	r.Body.Close()
	return r.StatusCode
}

func (s *server) wait() syscall.WaitStatus {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(15 * time.Second):
		s.t.Fatal("the leader does not end")
	}
	return s.cmd.ProcessState.Sys().(syscall.WaitStatus)
}

func (s *server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// members lists the titles of the living processes of the session but the
// leader, by pid.
func (s *server) members() map[int]string {
	found := map[int]string{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
		var pid int
		fmt.Sscanf(path, "/proc/%d/stat", &pid)
		if fields[0] == "Z" || fields[3] != fmt.Sprint(s.cmd.Process.Pid) || pid == s.cmd.Process.Pid {
			continue
		}
		title, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		found[pid] = strings.TrimRight(string(title), "\x00")
	}
	return found
}

func (s *server) pidOf(title string) int {
	for pid, t := range s.members() {
		if t == title {
			return pid
		}
	}
	return 0
}

// post sends JSON and gives status and body.
func (s *server) post(path, body string) (int, string) {
	s.t.Helper()
	r, err := http.Post(s.base+path, "application/json", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	return r.StatusCode, readAll(s.t, r.Body)
}
