package nvidia

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// DefaultTimeout bounds one run of nvidia-smi. A healthy one takes well below a
// second once the driver is awake.
const DefaultTimeout = 5 * time.Second

// Reasons why nothing could be read, besides *FailedError.
var (
	ErrNotInstalled = errors.New("nvidia-smi is not installed")
	ErrTimeout      = errors.New("nvidia-smi does not answer")
	ErrFormat       = errors.New("nvidia-smi printed something unexpected")
)

// FailedError is a run of nvidia-smi that ended with an error of its own.
type FailedError struct {
	Status int    // exit status; 9: driver not loaded, 15: GPU fell off the bus
	Text   string // what it printed, on one line
}

func (e *FailedError) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("nvidia-smi failed with status %d", e.Status)
	}
	return fmt.Sprintf("nvidia-smi failed with status %d: %s", e.Status, e.Text)
}

// Exit statuses of nvidia-smi (its manual page, RETURN VALUE) that are no failure.
const (
	statusNothingFound = 6  // "No devices were found"
	statusInfoROM      = 14 // a warning; the answer is complete
)

// maxOutput bounds what is kept of the answer (bytes). Sixteen GPUs take 2 kB.
const maxOutput = 1 << 20

// run runs the tool and returns its standard output.
func (t Tool) run(ctx context.Context, args ...string) (string, error) {
	command := t.Command
	if len(command) == 0 {
		command = []string{"nvidia-smi"}
	}
	timeout := t.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	tooMuch := make(chan struct{}, 1)
	stdout, stderr := limited{full: tooMuch}, limited{full: tooMuch}
	cmd := exec.Command(command[0], append(command[1:len(command):len(command)], args...)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// A grandchild may hold the output open after the child has gone.
	cmd.WaitDelay = timeout / 10
	if err := cmd.Start(); err != nil {
		return "", startError(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		if len(tooMuch) > 0 {
			return "", errTooMuch
		}
		return verdict(err, stdout.kept.String(), stderr.kept.String())
	case <-tooMuch:
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		return "", errTooMuch
	case <-ctx.Done():
		// A child inside a sick driver stays, even after KILL: it is left to
		// the goroutine, and the buffers with it.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return "", fmt.Errorf("%w within %s", ErrTimeout, timeout)
		}
		return "", ctx.Err()
	}
}

func startError(err error) error {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return ErrNotInstalled
	}
	return fmt.Errorf("nvidia-smi cannot be run: %w", err)
}

// verdict turns the end of a run into its output or a typed error. Errors are
// printed on standard output, so both streams are quoted.
func verdict(err error, stdout, stderr string) (string, error) {
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return stdout, nil
	case !errors.As(err, &exit):
		return "", fmt.Errorf("nvidia-smi cannot be read: %w", err)
	}
	switch exit.ExitCode() {
	case statusNothingFound:
		return "", nil
	case statusInfoROM:
		return stdout, nil
	}
	return "", &FailedError{exit.ExitCode(), oneLine(stdout + " " + stderr)}
}

// maxText bounds how much of a printed error is quoted (bytes).
const maxText = 300

func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}

// errTooMuch ends the copying of what is printed, and with it the run.
var errTooMuch = fmt.Errorf("%w: more than %d bytes", ErrFormat, maxOutput)

// limited keeps at most maxOutput bytes and then refuses. It embeds no buffer:
// the ReadFrom of one would be used instead of Write, and knows no bound.
type limited struct {
	kept bytes.Buffer
	full chan<- struct{} // is told once, at most
}

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > maxOutput-l.kept.Len() {
		select {
		case l.full <- struct{}{}:
		default:
		}
		return 0, errTooMuch
	}
	return l.kept.Write(p)
}
