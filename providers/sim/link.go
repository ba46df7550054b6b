package sim

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// Inherited descriptors of a child: it reads its job and its orders from one
// and reports on the other.
const (
	ordersFd  = 3
	reportsFd = 4
)

// message goes between leader, engine and workers, one JSON object a line.
type message struct {
	Kind string `json:"kind"`
	ID   int64  `json:"id,omitempty"`  // of a step
	Pid  int    `json:"pid,omitempty"` // of a worker
}

// Kinds of messages.
const (
	kindHello  = "hello"  // child to parent: imports are done
	kindGo     = "go"     // leader to engine: the handshake is done
	kindWorker = "worker" // engine to leader: a worker was started
	kindReady  = "ready"  // child to parent: loaded
	kindFailed = "failed" // child to parent: could not start; it ends
	kindStep   = "step"   // down: make one token; up: it is made
)

// link is one end of the two pipes between a parent and a child.
type link struct {
	mu sync.Mutex
	w  io.WriteCloser
	in chan message // closed when the other side is gone
}

func newLink(r io.Reader, w io.WriteCloser) *link {
	l := &link{w: w, in: make(chan message, 16)}
	go func() {
		defer close(l.in)
		for d := json.NewDecoder(r); ; {
			var m message
			if d.Decode(&m) != nil {
				return
			}
			l.in <- m
		}
	}()
	return l
}

// send tells the other side; that it may be gone is seen by in, not here.
func (l *link) send(v any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = json.NewEncoder(l.w).Encode(v)
}

// child is a process that this one started.
type child struct {
	*link
	title  string
	pid    int
	done   chan struct{} // closed when it has ended
	status syscall.WaitStatus
}

// start runs this executable again under a title, with no environment and no
// arguments, so that /proc shows of it what it shows of vLLM's children. It
// stays in the session and process group of this process.
func start(title string, j job, stdout, stderr io.Writer) (*child, error) {
	down, orders, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", title, err)
	}
	defer down.Close()
	reports, up, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", title, err)
	}
	defer up.Close()
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{title}, Env: []string{},
		Stdout: stdout, Stderr: stderr, ExtraFiles: []*os.File{down, up}}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", title, err)
	}
	c := &child{link: newLink(reports, orders), title: title, pid: cmd.Process.Pid, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		_ = cmd.Wait() // its status says it all
		c.status, _ = cmd.ProcessState.Sys().(syscall.WaitStatus)
	}()
	c.send(j)
	return c, nil
}

// exitCode is Python's: negative for a signal. Valid once done is closed.
func (c *child) exitCode() int {
	if c.status.Signaled() {
		return -int(c.status.Signal())
	}
	return c.status.ExitStatus()
}

func (c *child) signal(s syscall.Signal) {
	select {
	case <-c.done: // reaped: the pid may be another's by now
	default:
		_ = syscall.Kill(c.pid, s)
	}
}
