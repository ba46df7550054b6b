package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"
)

// closing waits for a channel to be closed, at most a moment.
func closing(c <-chan struct{}, most time.Duration) bool {
	select {
	case <-c:
		return true
	case <-time.After(most):
		return false
	}
}

func TestInterrupts(t *testing.T) {
	for name, tt := range map[string]struct {
		signals []syscall.Signal
		hard    bool
		says    string
	}{
		"HUP":           {[]syscall.Signal{syscall.SIGHUP}, false, "Again to stop at once"},
		"TERM":          {[]syscall.Signal{syscall.SIGTERM}, false, "Again to stop at once"},
		"QUIT":          {[]syscall.Signal{syscall.SIGQUIT}, true, "Interrupted: stopping now."},
		"HUP, then INT": {[]syscall.Signal{syscall.SIGHUP, syscall.SIGINT}, true, "Interrupted again"},
	} {
		t.Run(name, func(t *testing.T) {
			said, say := io.Pipe()
			c := &cli{streams: streams{err: say}}
			in, release := c.interrupts(t.Context())
			defer release()
			in.acting.Store(true)
			for _, s := range tt.signals {
				if err := syscall.Kill(syscall.Getpid(), s); err != nil {
					t.Fatal(err)
				}
				line := make([]byte, 200) // one write is one read
				n, err := said.Read(line)
				if err != nil {
					t.Fatal(err)
				}
				if s == tt.signals[len(tt.signals)-1] && !strings.Contains(string(line[:n]), tt.says) {
					t.Errorf("said %s", line[:n])
				}
			}
			if !closing(in.soft, time.Minute) || !closing(in.early.Done(), time.Minute) {
				t.Error("the first signal was not told")
			}
			if tt.hard && !closing(in.hard.Done(), time.Minute) || !tt.hard && in.hard.Err() != nil {
				t.Errorf("to stop at once: %v", in.hard.Err())
			}
		})
	}
}

// An interrupt at the question is no answer: a new line, and 130.
func TestConfirmInterrupted(t *testing.T) {
	silent, end := io.Pipe()
	defer end.Close()
	var screen bytes.Buffer
	c := &cli{streams: streams{in: silent, err: &screen}}
	interrupted := make(chan struct{})
	close(interrupted)
	err := c.confirm("Apply?", interrupted)
	if codeOf(err) != exitInterrupted || !strings.HasSuffix(screen.String(), "goes on: \n") {
		t.Errorf("%v (%d) after %q", err, codeOf(err), screen.String())
	}
}

// An error after a document goes to standard error: there is one document.
func TestReportAfterADocument(t *testing.T) {
	for _, begun := range []bool{false, true} {
		var out, text bytes.Buffer
		c := &cli{streams: streams{err: &text}, stdout: &stdout{to: &out, begun: begun}, json: true}
		c.out = c.stdout
		c.report(errors.New("the disk is full"))
		if inDocument := strings.Contains(out.String(), "the disk is full"); inDocument == begun || inDocument == strings.Contains(text.String(), "the disk is full") {
			t.Errorf("begun %v: %q and %q", begun, out.String(), text.String())
		}
	}
}

func TestAsksJSON(t *testing.T) {
	for line, want := range map[string]bool{
		"plan --nosuch --json": true, "--json=true plan": true, "plan": false, "plan --json=false": false, "fmt -- --json": false,
	} {
		if got := asksJSON(strings.Fields(line)); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}
