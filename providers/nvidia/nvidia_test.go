package nvidia

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	uuid4080 = "GPU-5d1c0b8a-7f51-4c7e-9b64-0a1f2c3d4e5f"
	uuidH100 = "GPU-9b7a4f9e-2f0c-4f15-8a61-1f3b7f6f2a10"
)

// recorded is a tool that plays one of the recordings in testdata. The time
// limit is long, so that a busy machine fails no test.
func recorded(name string, status int) Tool {
	return Tool{
		Command: []string{"sh", "testdata/fake.sh", name, strconv.Itoa(status)},
		Timeout: time.Minute,
	}
}

func TestGPUs(t *testing.T) {
	for _, tc := range []struct {
		name   string
		status int
		want   []GPU
	}{
		{"two", 0, []GPU{
			{0, uuid4080, "NVIDIA GeForce RTX 4080", 16376 << 20, 1093 << 20, 14964 << 20},
			{1, uuidH100, "NVIDIA H100 80GB HBM3", 81559 << 20, 512 << 20, 80520 << 20},
		}},
		{"unified", 0, []GPU{{0, "GPU-0c5e2a11-93d7-4d08-b2a3-6f3f0e1d2c4b", "NVIDIA GB10", Unknown, Unknown, Unknown}}},
		{"none", 6, nil},
		{"none", 0, nil},
		{"inforom", 14, []GPU{{0, uuid4080, "Tesla T4", 16376 << 20, 0, 16376 << 20}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := recorded(tc.name, tc.status).GPUs(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestProcesses(t *testing.T) {
	got, err := recorded("two", 0).Processes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []Process{
		{uuid4080, 48121, "VLLM::EngineCore", 1004 << 20},
		{uuid4080, 977, "/usr/lib/xorg/Xorg, with a comma", Unknown},
		{uuidH100, 0, "", Unknown},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestDriverNotLoaded(t *testing.T) {
	_, err := recorded("nodriver", 9).GPUs(t.Context())
	var failed *FailedError
	if !errors.As(err, &failed) {
		t.Fatalf("got %v", err)
	}
	want := "nvidia-smi failed with status 9: NVIDIA-SMI has failed because it couldn't communicate with " +
		"the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running."
	if failed.Status != 9 || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestNotInstalled(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := (Tool{}).GPUs(t.Context()); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("on PATH: %v", err)
	}
	gone := Tool{Command: []string{filepath.Join(t.TempDir(), "nvidia-smi")}}
	if _, err := gone.GPUs(t.Context()); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("by path: %v", err)
	}
	dir := Tool{Command: []string{t.TempDir()}}
	if _, err := dir.GPUs(t.Context()); err == nil || errors.Is(err, ErrNotInstalled) {
		t.Errorf("a directory: %v", err)
	}
}

// A child that no KILL reaches must not hold the caller.
func TestHangIsNotWaitedFor(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	t.Cleanup(func() { killRecorded(t, pidFile) })
	tool := Tool{Command: []string{"sh", "testdata/hang.sh", pidFile}, Timeout: time.Second}
	start := time.Now()
	_, err := tool.GPUs(t.Context())
	if !errors.Is(err, ErrTimeout) || !strings.Contains(err.Error(), "within 1s") {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestAnswerOfChildThatLeavesAnother(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	t.Cleanup(func() { killRecorded(t, pidFile) })
	tool := Tool{Command: []string{"sh", "testdata/leaves.sh", pidFile}, Timeout: 10 * time.Second}
	got, err := tool.GPUs(t.Context())
	if err != nil || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tool := Tool{Command: []string{"sleep", "30"}, Timeout: time.Minute}
	if _, err := tool.GPUs(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// killRecorded ends the process whose pid a script wrote.
func killRecorded(t *testing.T, pidFile string) {
	t.Helper()
	for range 500 {
		if data, err := os.ReadFile(pidFile); err == nil {
			pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
			if err != nil {
				t.Error(err)
				return
			}
			_ = syscall.Kill(pid, syscall.SIGKILL)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the script never started its child")
}

func TestParseRefuses(t *testing.T) {
	for _, tc := range []struct{ out, want string }{
		{"0, GPU-1, 1", `"0, GPU-1, 1" has 3 of 6 columns`},
		{"x, GPU-1, 1, 2, 3, n", "has no index"},
		{"-1, GPU-1, 1, 2, 3, n", "has no index"},
		{"0, GPU-1, much, 2, 3, n", "has no size"},
		{"0, GPU-1, -4, 2, 3, n", "has no size"},
		{"0, GPU-1, 99999999999999, 2, 3, n", "has no size"},
	} {
		_, err := parseGPUs(tc.out)
		if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: %v", tc.out, err)
		}
	}
	if _, err := parseProcesses("GPU-1, p, 1, n"); !errors.Is(err, ErrFormat) {
		t.Errorf("process: %v", err)
	}
}

func FuzzCSV(f *testing.F) {
	recordings, _ := filepath.Glob("testdata/*.csv")
	for _, path := range recordings {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Fuzz(func(t *testing.T, out string) {
		gpus, err := parseGPUs(out)
		if err != nil && !errors.Is(err, ErrFormat) {
			t.Errorf("untyped error: %v", err)
		}
		for _, g := range gpus {
			if g.Index < 0 || g.Total < Unknown || g.Used < Unknown || g.Free < Unknown {
				t.Errorf("impossible GPU %+v", g)
			}
		}
		processes, err := parseProcesses(out)
		if err != nil && !errors.Is(err, ErrFormat) {
			t.Errorf("untyped error: %v", err)
		}
		for _, p := range processes {
			if p.Pid < 0 || p.Memory < Unknown {
				t.Errorf("impossible process %+v", p)
			}
		}
	})
}
