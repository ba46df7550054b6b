package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/providers/sim"
)

// TestMain makes this test binary the loadout command of the scripts, and the
// children of the stand-in that the command starts.
func TestMain(m *testing.M) {
	if sim.IsChild(os.Args[0]) {
		os.Exit(sim.Child(os.Args[0]))
	}
	testscript.Main(m, map[string]func(){"loadout": main, "loadout-killed": mainKilled})
}

// TestScripts runs every story in testdata/script against the stand-in.
func TestScripts(t *testing.T) {
	testscript.Run(t, params("testdata/script", rehearsal))
}

// setup prepares the environment of one kind of backend.
type setup func(env *testscript.Env) error

func params(dir string, s setup) testscript.Params {
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE") != "",
		Condition:           condition,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("LANG", "C.UTF-8")
			env.Setenv("NO_PROXY", "*")
			env.Defer(func() { killAll(env.WorkDir) })
			return s(env)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"freeport": cmdFreePort, "kill9": cmdKill9, "nothing-left": cmdNothingLeft,
			"synced": cmdSynced, "pid": cmdPid, "replace": cmdReplace, "status": cmdStatus, "argv": cmdArgv, "wait-for": cmdWaitFor, "alive": cmdAlive,
			"json": cmdJSON, "keys": cmdKeys, "quiet": cmdQuiet, "interrupt": cmdInterrupt, "by-hand": cmdByHand,
			"wait-port": cmdWaitPort, "freeze": cmdFreeze,
		},
	}
}

// rehearsal serves with the stand-in.
func rehearsal(env *testscript.Env) error {
	env.Setenv("LOADOUT_VAR_vllm", `["loadout", "sim", "vllm", "serve"]`)
	env.Setenv("LOADOUT_VAR_env", `{ LOADOUT_SIM_LOAD = "200ms" }`)
	env.Setenv("LOADOUT_VAR_args", `{}`)
	return nil
}

// cmdFreePort sets each named variable, and LOADOUT_VAR_<name>, to a free port.
func cmdFreePort(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		n, err := listenOnce()
		ts.Check(err)
		port := strconv.Itoa(n)
		ts.Setenv(name, port)
		ts.Setenv("LOADOUT_VAR_"+name, port)
	}
}

// listenOnce finds a port that is free now.
func listenOnce() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

func freePort(t testing.TB) int {
	t.Helper()
	port, err := listenOnce()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// snapshotOf reads the only snapshot below the script's directory.
func snapshotOf(ts *testscript.TestScript) *engine.Snapshot {
	files, _ := filepath.Glob(ts.MkAbs(".loadout/*/snapshot.json"))
	if len(files) != 1 {
		ts.Fatalf("want one snapshot, found %v", files)
	}
	b, err := os.ReadFile(files[0])
	ts.Check(err)
	var s engine.Snapshot
	ts.Check(json.Unmarshal(b, &s))
	return &s
}

func instanceOf(ts *testscript.TestScript, model string) *engine.Instance {
	in := snapshotOf(ts).Instance(model)
	if in == nil {
		ts.Fatalf("no instance of %q in the snapshot", model)
	}
	return in
}

// cmdPid: pid MODEL VAR sets VAR to the recorded pid.
func cmdPid(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[1], strconv.Itoa(instanceOf(ts, args[0]).Pid))
}

// cmdArgv: [!] argv MODEL WORDS… checks that the running process has (not) got
// the words, one after the other, on its command line.
func cmdArgv(ts *testscript.TestScript, neg bool, args []string) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", instanceOf(ts, args[0]).Pid))
	ts.Check(err)
	line := " " + strings.ReplaceAll(string(bytes.TrimRight(b, "\x00")), "\x00", " ") + " "
	if has := strings.Contains(line, " "+strings.Join(args[1:], " ")+" "); has == neg {
		ts.Fatalf("command line is:%s", line)
	}
}

// cmdKill9: kill9 MODEL kills the leader of a model and waits until it is gone.
func cmdKill9(ts *testscript.TestScript, _ bool, args []string) {
	pid := instanceOf(ts, args[0]).Pid
	ts.Check(syscall.Kill(pid, syscall.SIGKILL))
	for range 200 {
		if !running(pid) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("pid %d is still there", pid)
}

// cmdNothingLeft: no process that was started below this script's directory.
func cmdNothingLeft(ts *testscript.TestScript, _ bool, _ []string) {
	for range 200 {
		if len(started(ts.MkAbs("."))) == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	ts.Fatalf("left running: %v", started(ts.MkAbs(".")))
}

// cmdSynced: a plan is empty, and planning wrote nothing: no byte, no time.
func cmdSynced(ts *testscript.TestScript, _ bool, args []string) {
	before := census(ts.MkAbs("."))
	err := ts.Exec("loadout", append([]string{"plan", "--detailed-exitcode"}, args...)...)
	ts.Check(err)
	if after := census(ts.MkAbs(".")); !slices.Equal(before, after) {
		ts.Fatalf("plan changed files:\n%s\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
}

// census lists files with size and time.
func census(root string) []string {
	var out []string
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, "/logs/") || strings.Contains(path, "/launches/") {
			return nil
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			out = append(out, fmt.Sprint(path, " ", info.Size(), " ", info.ModTime().UnixNano()))
		}
		return nil
	})
	return out
}

// cmdStatus: status CODE COMMAND… runs a command that must exit with the code.
func cmdStatus(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var e *exec.ExitError
		if !errors.As(err, &e) {
			ts.Fatalf("%v", err)
		}
		got = e.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// cmdAlive: [!] alive PID. A zombie, which nobody has waited for, is not.
func cmdAlive(ts *testscript.TestScript, neg bool, args []string) {
	pid, err := strconv.Atoi(args[0])
	ts.Check(err)
	if running(pid) == neg {
		ts.Fatalf("pid %d: running is %v", pid, !neg)
	}
}

// cmdWaitFor waits until a file is there.
func cmdWaitFor(ts *testscript.TestScript, _ bool, args []string) {
	for range 500 {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("%s does not appear", args[0])
}

// cmdReplace: replace FILE OLD NEW.
func cmdReplace(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	b, err := os.ReadFile(path)
	ts.Check(err)
	if !strings.Contains(string(b), args[1]) {
		ts.Fatalf("%s has no %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(path, []byte(strings.ReplaceAll(string(b), args[1], args[2])), 0o644))
}

// started lists the processes whose session was started from below dir: the
// leader's working directory, log or recorded token say so.
func started(dir string) []int {
	var pids []int
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		if out, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/1", pid)); err == nil && strings.HasPrefix(out, dir+"/") && strings.Contains(out, "/logs/") && running(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// running: there and no zombie.
func running(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	i := bytes.LastIndexByte(b, ')')
	return i > 0 && len(b) > i+2 && b[i+2] != 'Z'
}

func killAll(dir string) {
	for _, pid := range started(dir) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}
