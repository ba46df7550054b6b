package process

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/prometheus/procfs"
)

// Spec is what to start. All paths are absolute.
type Spec struct {
	Argv  []string
	Env   []string // the whole environment
	Dir   string   // working directory
	Log   string   // stdout and stderr, appended
	Token string   // for the identity; stands in Env as well
}

// Child is a process that this program started.
type Child struct {
	Identity
	Log    string // path of the log file
	Offset int64  // where the output of this launch begins in it

	ended chan struct{}
	state *os.ProcessState // set before ended is closed
}

// Start starts the process in a session of its own, with standard input from
// /dev/null and its output in the log file, so that neither the end of Loadout
// nor that of the terminal reaches it.
func Start(s Spec) (*Child, error) {
	program, err := lookPath(s.Argv, s.Env)
	if err != nil {
		return nil, err
	}
	log, offset, err := openLog(s.Log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	closeInherited()
	cmd := &exec.Cmd{
		Path: program, Args: s.Argv, Env: s.Env, Dir: s.Dir, Stdout: log, Stderr: log,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", s.Argv[0], err)
	}
	c := &Child{Log: s.Log, Offset: offset, ended: make(chan struct{})}
	// Before Wait: even if it has ended already, /proc still shows its times.
	c.Identity, err = identify(cmd.Process.Pid, s.Token)
	go func() {
		_ = cmd.Wait() // the state says all
		c.state = cmd.ProcessState
		close(c.ended)
	}()
	if err != nil {
		return nil, errors.Join(err, cmd.Process.Kill())
	}
	return c, nil
}

// Ended is closed when the process has ended.
func (c *Child) Ended() <-chan struct{} { return c.ended }

// Status is how the process ended ("exit status 1", "signal: killed"), or
// "alive".
func (c *Child) Status() string {
	select {
	case <-c.ended:
		return c.state.String()
	default:
		return "alive"
	}
}

func identify(pid int, token string) (Identity, error) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return Identity{}, fmt.Errorf("pid %d: %w", pid, err)
	}
	stat, err := p.Stat()
	if err != nil {
		return Identity{}, fmt.Errorf("pid %d: %w", pid, err)
	}
	boot, err := BootID()
	return Identity{Pid: pid, StartTime: stat.Starttime, BootID: boot, Token: token}, err
}

func openLog(path string) (*os.File, int64, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, 0, fmt.Errorf("log: %w", err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, 0, fmt.Errorf("log: %w", err)
	}
	offset, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("log: %w", err), f.Close())
	}
	return f, offset, nil
}

// closeInherited keeps descriptors that Loadout itself inherited from its
// caller (a lock, a pipe of a CI job) from living as long as a server does.
// A kernel before 5.11 does not know how, and inherits them.
func closeInherited() {
	_ = unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
}

// Startable tells, without starting anything, why a process with this command
// line and environment could not be started.
func Startable(argv, env []string) error {
	if _, err := lookPath(argv, env); err != nil {
		return err
	}
	for _, words := range [][]string{argv, env} {
		if slices.ContainsFunc(words, func(w string) bool { return strings.ContainsRune(w, 0) }) {
			return errors.New("start: a word of the command line or the environment has a NUL character")
		}
	}
	return nil
}

// lookPath finds the program in the PATH that the process will have, not in
// that of Loadout.
func lookPath(argv, env []string) (string, error) {
	if len(argv) == 0 || argv[0] == "" {
		return "", fmt.Errorf("start: the command is empty")
	}
	name := argv[0]
	if strings.Contains(name, "/") {
		path, err := filepath.Abs(name)
		if err == nil {
			err = executable(path)
		}
		if err != nil {
			return "", fmt.Errorf("start %s: %w", name, err)
		}
		return path, nil
	}
	dirs := ""
	for _, w := range env {
		if v, ok := strings.CutPrefix(w, "PATH="); ok {
			dirs = v
		}
	}
	for _, dir := range filepath.SplitList(dirs) {
		if path := filepath.Join(dir, name); filepath.IsAbs(path) && executable(path) == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("start %s: no such program in PATH (%s)", name, dirs)
}

func executable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.IsDir() || info.Mode()&0o111 == 0 {
		return fmt.Errorf("%s is not executable: %w", path, os.ErrPermission)
	}
	return nil
}
