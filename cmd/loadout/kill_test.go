package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

// TestKilledAtEveryStep kills apply with SIGKILL before and after every change
// of its state, in turn, and in each case asks for the same: the next plan
// knows, the next apply converges, no server runs twice, none is orphaned.
func TestKilledAtEveryStep(t *testing.T) {
	scenes := []struct {
		name    string
		prepare func(*host)
		kill    []string // the command that is killed
	}{
		{"create", func(*host) {}, []string{"apply", "--auto-approve"}},
		{"restart", func(h *host) {
			h.must(0, "apply", "--auto-approve")
			h.edit("max_model_len = 512", "max_model_len = 640")
		}, []string{"apply", "--auto-approve"}},
		{"put back", func(h *host) {
			h.must(0, "apply", "--auto-approve")
			h.edit("max_model_len = 512", "max_model_len = 640\n    quantization = \"awq\"")
		}, []string{"apply", "--auto-approve"}},
		{"heal", func(h *host) {
			h.must(0, "apply", "--auto-approve")
			_ = syscall.Kill(h.snapshot().Instances[0].Pid, syscall.SIGKILL)
		}, []string{"apply", "--auto-approve"}},
		{"destroy", func(h *host) { h.must(0, "apply", "--auto-approve") }, []string{"destroy", "--auto-approve"}},
	}
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for n := 1; ; n++ {
				h := newHost(t)
				s.prepare(h)
				if !h.killed(n, s.kill...) {
					h.end()
					if n < 5 {
						t.Fatalf("only %d points: the run was not followed", n-1)
					}
					t.Logf("killed at %d points", n-1)
					return
				}
				h.heals(fmt.Sprintf("%s, killed at point %d", s.name, n))
			}
		})
	}
}

// host is a directory with a configuration of one model, and what runs there.
type host struct {
	t    *testing.T
	dir  string
	port int
	said string // everything that loadout printed, for failures
}

const hostModels = `
backend "vllm" {
  command = ["loadout", "sim", "vllm", "serve"]
  env     = { LOADOUT_SIM_LOAD = "60ms" }
}
model "tiny" {
  source  = "file://weights/tiny"
  backend = "vllm"
  args = {
    max_model_len = 512
  }
}
`

func newHost(t *testing.T) *host {
	t.Helper()
	h := &host{t: t, dir: t.TempDir(), port: freePort(t)}
	t.Cleanup(func() { killAll(h.dir) })
	h.write("models.hcl", hostModels)
	h.write("workspaces/box.hcl", fmt.Sprintf("workspace \"box\" {\n  serve \"tiny\" { port = %d }\n}\n", h.port))
	h.must(0, "sim", "weights", "weights/tiny")
	return h
}

func (h *host) write(name, text string) {
	h.t.Helper()
	path := filepath.Join(h.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) edit(old, now string) {
	h.t.Helper()
	b, err := os.ReadFile(filepath.Join(h.dir, "models.hcl"))
	if err != nil {
		h.t.Fatal(err)
	}
	h.write("models.hcl", strings.ReplaceAll(string(b), old, now))
}

// run runs loadout and returns its exit code and output; -1 when it was killed.
func (h *host) run(command string, args ...string) (int, string) {
	h.t.Helper()
	cmd := exec.Command(command, args...)
	cmd.Dir = h.dir
	out, err := cmd.CombinedOutput()
	h.said += fmt.Sprintf("$ %s %s\n%s", command, strings.Join(args, " "), out)
	var e *exec.ExitError
	switch {
	case err == nil:
		return 0, string(out)
	case errors.As(err, &e):
		return e.ExitCode(), string(out)
	}
	h.t.Fatalf("%s %v: %v", command, args, err)
	return 0, ""
}

func (h *host) must(code int, args ...string) string {
	h.t.Helper()
	got, out := h.run("loadout", args...)
	if got != code {
		h.t.Fatalf("loadout %s: exit code %d, want %d\n%s", strings.Join(args, " "), got, code, out)
	}
	return out
}

// killed runs a command that is killed at its nth point; false when it ended
// before it came so far.
func (h *host) killed(n int, args ...string) bool {
	h.t.Helper()
	code, _ := h.run("loadout-killed", append([]string{strconv.Itoa(n)}, args...)...)
	return code == -1
}

func (h *host) snapshot() *engine.Snapshot {
	h.t.Helper()
	b, err := os.ReadFile(filepath.Join(h.dir, ".loadout/box/snapshot.json"))
	if errors.Is(err, os.ErrNotExist) {
		return &engine.Snapshot{}
	}
	var s engine.Snapshot
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return &s
}

// heals asks for everything that must hold after a kill. A configuration that
// cannot be started is made good first: converging is what is asked.
func (h *host) heals(when string) {
	h.t.Helper()
	code, planned := h.run("loadout", "plan")
	if code != 0 {
		h.t.Fatalf("%s: plan: exit code %d\n%s", when, code, planned)
	}
	h.edit("    quantization = \"awq\"\n", "")
	h.edit("quantization = \"awq\"", "")
	code, applied := h.run("loadout", "apply", "--auto-approve")
	if code != 0 {
		h.t.Fatalf("%s: apply: exit code %d\n%s", when, code, applied)
	}
	if code, out := h.run("loadout", "plan", "--detailed-exitcode"); code != 0 {
		h.t.Fatalf("%s: the plan after apply is not empty\n%s", when, out)
	}
	h.one(when)
	h.end()
}

// one: exactly the recorded server runs, with the session that belongs to it.
func (h *host) one(when string) {
	h.t.Helper()
	s := h.snapshot()
	if len(s.Instances) != 1 {
		h.t.Fatalf("%s: %d instances are recorded", when, len(s.Instances))
	}
	leader := s.Instances[0].Pid
	for _, pid := range started(h.dir) {
		if sid := sessionOf(pid); sid != leader {
			h.t.Fatalf("%s: %s runs beside the recorded %d\n%s", when, describe([]int{pid}), leader, h.said)
		}
	}
	if !running(leader) {
		h.t.Fatalf("%s: the recorded pid %d does not run", when, leader)
	}
}

// end destroys and insists that nothing is left.
func (h *host) end() {
	h.t.Helper()
	h.must(0, "destroy", "--auto-approve")
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		left := started(h.dir)
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("left running after destroy: %s\n%s", describe(left), h.said)
		}
	}
}

func sessionOf(pid int) int {
	sid, _ := strconv.Atoi(statOf(pid)[3])
	return sid
}

// statOf is /proc/PID/stat behind the name: state, ppid, pgrp, session, …
func statOf(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return make([]string, 50)
	}
	return strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
}

func describe(pids []int) string {
	var words []string
	for _, pid := range pids {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		words = append(words, fmt.Sprintf("pid %d (%.40q, state, ppid, pgrp, session %v, start %s)", pid, line, statOf(pid)[:4], statOf(pid)[19]))
	}
	return strings.Join(words, "; ")
}
