package nvidia

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A tool that prints without end is stopped as soon as it has printed more than
// any answer takes, and only that much is kept.
func TestEndlessOutputIsStopped(t *testing.T) {
	for name, script := range map[string]string{
		"output":            `echo $$ > "$1"; exec yes 0,`,
		"errors":            `echo $$ > "$1"; exec yes 0, >&2`,
		"deaf to the pipe":  `echo $$ > "$1"; trap "" PIPE; while :; do yes 0, 2>&-; done`,
		"ends with a shrug": `echo $$ > "$1"; head -c 3000000 /dev/zero; exit 0`,
	} {
		t.Run(name, func(t *testing.T) {
			pidFile := filepath.Join(t.TempDir(), "pid")
			tool := Tool{Command: []string{"sh", "-c", script, "sh", pidFile}, Timeout: time.Minute}
			begun := time.Now()
			_, err := tool.GPUs(t.Context())
			if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "more than 1048576 bytes") {
				t.Errorf("error %v", err)
			}
			if took := time.Since(begun); took > 30*time.Second {
				t.Errorf("took %s", took)
			}
			waitGone(t, pidFile)
		})
	}
}

func waitGone(t *testing.T, pidFile string) {
	t.Helper()
	text, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for range 500 {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("pid %d is still there", pid)
}

func TestLimitedKeepsItsBound(t *testing.T) {
	full := make(chan struct{}, 1)
	l := limited{full: full}
	if n, err := l.Write(make([]byte, maxOutput)); n != maxOutput || err != nil || len(full) != 0 {
		t.Errorf("as much as fits: %d, %v", n, err)
	}
	for range 2 {
		if n, err := l.Write([]byte("x")); n != 0 || err == nil || len(full) != 1 {
			t.Errorf("one more: %d, %v", n, err)
		}
	}
	if l.kept.Len() != maxOutput {
		t.Errorf("kept %d", l.kept.Len())
	}
}
