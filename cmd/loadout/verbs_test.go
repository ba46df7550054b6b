package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"github.com/loadoutdev/loadout/engine"
)

// cmdJSON: [!] json PATH [WANT] looks into the JSON that the last command
// printed: whether the path is there, and whether it holds WANT, written as
// JSON or as a bare string. The path "." is the whole document.
func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	got, there := at(ts, args[0])
	if len(args) == 1 {
		if there == neg {
			ts.Fatalf("%s: there is %v", args[0], there)
		}
		return
	}
	text := string(engine.CanonicalJSON(got))
	if s, ok := got.(string); ok {
		text = s
	}
	if (there && text == args[1]) == neg {
		ts.Fatalf("%s is %s", args[0], text)
	}
}

// cmdKeys: keys PATH KEY… requires these keys of an object, in any order; others
// may be there.
func cmdKeys(ts *testscript.TestScript, _ bool, args []string) {
	got, _ := at(ts, args[0])
	object, ok := got.(map[string]any)
	if !ok {
		ts.Fatalf("%s is no object: %v", args[0], got)
	}
	for _, key := range args[1:] {
		if _, ok := object[key]; !ok {
			ts.Fatalf("%s has no %q: %s", args[0], key, engine.CanonicalJSON(object))
		}
	}
}

// at walks to a path such as "changes[0].fields[1].origin" in the last output.
func at(ts *testscript.TestScript, path string) (any, bool) {
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &v))
	for _, key := range regexp.MustCompile(`[^.\[\]]+`).FindAllString(path, -1) {
		switch in := v.(type) {
		case map[string]any:
			next, ok := in[key]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(in) {
				return nil, false
			}
			v = in[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// cmdQuiet: quiet COMMAND… runs a command that must succeed and change no file:
// no byte, no time, none more and none less.
func cmdQuiet(ts *testscript.TestScript, _ bool, args []string) {
	before := census(ts.MkAbs("."))
	ts.Check(ts.Exec(args[0], args[1:]...))
	if after := census(ts.MkAbs(".")); !slices.Equal(before, after) {
		ts.Fatalf("%s changed files:\n%s\n\n%s", args[1], strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
}

// cmdInterrupt: interrupt TIMES PATTERN [SIGNAL] sends SIGINT, or the signal
// named (HUP), to the run that holds the lock as soon as a line of its journal matches; TIMES signals, one after the
// other. The command itself comes on the next line of the script.
func cmdInterrupt(ts *testscript.TestScript, _ bool, args []string) {
	times, err := strconv.Atoi(args[0])
	ts.Check(err)
	pattern := regexp.MustCompile(args[1])
	state := ts.MkAbs(".loadout/box")
	signal := syscall.SIGINT
	if len(args) > 2 {
		signal = unix.SignalNum("SIG" + args[2])
	}
	go func() {
		for range 1000 {
			if line, err := os.ReadFile(filepath.Join(state, "journal.jsonl")); err == nil && pattern.Match(line) {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		var holder struct{ Pid int }
		b, err := os.ReadFile(filepath.Join(state, "lock"))
		if err != nil || json.Unmarshal(b, &holder) != nil || holder.Pid == 0 {
			return
		}
		for range times {
			_ = syscall.Kill(holder.Pid, signal)
			time.Sleep(100 * time.Millisecond)
		}
	}()
}

// cmdByHand: by-hand VAR COMMAND… starts a server as a person would, outside
// Loadout, and sets VAR and LOADOUT_VAR_<VAR> to its pid.
func cmdByHand(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.MkdirAll(ts.MkAbs("logs"), 0o755))
	log, err := os.Create(ts.MkAbs("logs/" + args[0] + ".log"))
	ts.Check(err)
	defer log.Close()
	cmd := exec.Command(args[1], args[2:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = ts.MkAbs("."), log, log
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + ts.Getenv("HOME")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	ts.Check(cmd.Start())
	go func() { _ = cmd.Wait() }() // no zombie stays behind
	pid := strconv.Itoa(cmd.Process.Pid)
	ts.Setenv(args[0], pid)
	ts.Setenv("LOADOUT_VAR_"+args[0], pid)
}

// cmdWaitPort: wait-port PORT waits until somebody listens there.
func cmdWaitPort(ts *testscript.TestScript, _ bool, args []string) {
	for range 500 {
		if conn, err := net.Dial("tcp", "127.0.0.1:"+args[0]); err == nil {
			_ = conn.Close()
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("nobody listens on port %s", args[0])
}

// cmdFreeze: freeze MODEL stops the engine of a server, which then accepts
// connections and answers nothing.
func cmdFreeze(ts *testscript.TestScript, _ bool, args []string) {
	leader := instanceOf(ts, args[0]).Pid
	frozen := 0
	for _, pid := range started(ts.MkAbs(".")) {
		if session, err := unix.Getsid(pid); err == nil && session == leader && pid != leader {
			ts.Check(syscall.Kill(pid, syscall.SIGSTOP))
			frozen++
		}
	}
	if frozen == 0 {
		ts.Fatalf("%s (pid %d) has no child to freeze", args[0], leader)
	}
}

// condition adds [readonly-mounts]: a directory can be mounted read-only, which
// takes root and the mount namespace.
func condition(name string) (bool, error) {
	if name != "readonly-mounts" {
		return false, fmt.Errorf("unknown condition %q", name)
	}
	return exec.Command("unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt").Run() == nil, nil
}
