package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/loadoutdev/loadout/lang"
	"github.com/loadoutdev/loadout/providers/ollama/ollamatest"
)

// reader follows one document in a home directory of its own.
type reader struct {
	t      *testing.T
	path   string
	lines  []string // of the document
	edited []string // the same with what the commands print now
	home   string
	env    []string
	stands [][2]string // what the document says, what it is here
}

func newReader(t *testing.T, path string) *reader {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{t: t, path: path, lines: strings.Split(string(text), "\n"), home: t.TempDir()}
	t.Cleanup(func() { killAll(r.home) })
	bin := filepath.Join(r.home, "bin")
	r.env = []string{"HOME=" + r.home, "PATH=" + bin + ":" + os.Getenv("PATH"), "LANG=C.UTF-8", "NO_PROXY=*", "TZ=UTC"}
	r.write(filepath.Join(bin, "nvidia-smi"), nvidiaSMI, 0o755)
	r.stands = [][2]string{{"24001", strconv.Itoa(freePort(t))}, {"11434", ollamaPort(t)}, {"/home/ann", r.home}}
	return r
}

// nvidiaSMI answers as on a host with one RTX 4080.
const nvidiaSMI = `#!/bin/sh
case "$*" in
*--query-gpu=index,*) echo "0, GPU-5d1c0b8a-7f51-4c7e-9b64-0a1f2c3d4e5f, 16376, 1093, 14964, NVIDIA GeForce RTX 4080" ;;
esac
`

// ollamaPort starts a service that keeps Ollama's contract, with one model.
func ollamaPort(t *testing.T) string {
	s := ollamatest.Start()
	t.Cleanup(s.Close)
	s.Install("qwen3:8b", ollamatest.Model{Size: 5_225_388_164, Context: 40960})
	return s.URL[strings.LastIndex(s.URL, ":")+1:]
}

func (r *reader) write(path, text string, mode os.FileMode) {
	r.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		r.t.Fatal(err)
	}
}

// read goes through the document from top to bottom. It starts in the folder of
// the document, or rather in a copy of it.
func (r *reader) read() {
	start := r.home
	if dir := filepath.Dir(r.path); dir != root {
		start = filepath.Join(r.home, filepath.Base(dir))
		if err := os.CopyFS(start, os.DirFS(dir)); err != nil {
			r.t.Fatal(err)
		}
	}
	r.write(r.state("cwd"), start, 0o644)
	r.write(r.state("env"), "", 0o644)
	next := 0
	for _, b := range blocks(r.lines) {
		r.edited = append(r.edited, r.lines[next:b.first]...)
		r.edited = append(r.edited, r.follow(b)...)
		next = b.first + len(b.lines)
	}
	r.edited = append(r.edited, r.lines[next:]...)
	if *update {
		r.write(r.path, strings.Join(r.edited, "\n"), 0o644)
	}
}

// state is a file that carries something from one command to the next.
func (r *reader) state(name string) string { return filepath.Join(r.home, ".reader", name) }

// follow does what a block says and returns what the block should contain.
func (r *reader) follow(b block) []string {
	text := strings.Join(b.lines, "\n") + "\n"
	switch kind := strings.Join(b.info[:min(1, len(b.info))], ""); kind {
	case "hcl":
		if formatted := string(lang.Format([]byte(text))); formatted != text {
			r.t.Errorf("%s:%d: not in canonical form, which is:\n%s", r.path, b.first+1, formatted)
		}
		if len(b.info) == 2 {
			cwd, _ := os.ReadFile(r.state("cwd"))
			r.write(filepath.Join(strings.TrimSpace(string(cwd)), b.info[1]), r.here(text), 0o644)
		}
	case "console":
		return r.console(b)
	case "text", "json", "yaml":
	default:
		r.t.Errorf("%s:%d: a block of kind %q: use console, hcl, json, yaml or text", r.path, b.first, kind)
	}
	return b.lines
}

func (r *reader) console(b block) []string {
	var out []string
	for i := 0; i < len(b.lines); {
		command, ok := strings.CutPrefix(b.lines[i], "$ ")
		if !ok {
			r.t.Fatalf("%s:%d: a console block starts with a command", r.path, b.first+i+1)
		}
		end := i + 1
		for end < len(b.lines) && !strings.HasPrefix(b.lines[end], "$ ") {
			end++
		}
		want := b.lines[i+1 : end]
		got := r.run(b.first+i+1, command, strings.Contains(strings.Join(want, "\n"), answer))
		out = append(append(out, b.lines[i]), r.settle(b.first+i+1, want, got)...)
		i = end
	}
	return out
}

// settle compares outputs; what counts as the same stays as it is written.
func (r *reader) settle(line int, want, got []string) []string {
	if matches(normal(want), normal(got)) {
		return want
	}
	if *update && !slices.Contains(want, "…") {
		return got
	}
	r.t.Errorf("%s:%d: the document shows\n%s\nbut the command prints\n%s\n(go test -update rewrites outputs without …)",
		r.path, line, strings.Join(want, "\n"), strings.Join(got, "\n"))
	return want
}

// answer is how a document shows that a person said yes.
const answer = `goes on: yes`

// run types a command. Directory and exported variables last, as in a shell.
func (r *reader) run(line int, command string, yes bool) []string {
	script := fmt.Sprintf("cd \"$(cat %[1]s)\" && . %[2]s && {\n%[3]s\n}\ncode=$?\npwd >%[1]s\nexport -p >%[2]s\nexit $code",
		r.state("cwd"), r.state("env"), r.here(command))
	cmd := exec.Command("bash", "-c", script)
	cmd.Env, cmd.WaitDelay = r.env, time.Minute
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if yes {
		terminal := newTerminal(r.t, "yes\n")
		defer terminal.Close()
		cmd.Stdin = terminal
	}
	if err := cmd.Run(); err != nil {
		r.t.Fatalf("%s:%d: %s: %v\n%s", r.path, line, command, err, r.there(out.String()))
	}
	text := strings.TrimRight(r.there(out.String()), "\n")
	if yes { // what a terminal shows of the answer
		text = strings.Replace(text, strings.TrimSuffix(answer, "yes"), answer+"\n", 1)
	}
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// here and there put the real ports and folders in the place of those in the
// document, and back.
func (r *reader) here(text string) string {
	for _, s := range r.stands {
		text = strings.ReplaceAll(text, s[0], s[1])
	}
	return text
}

func (r *reader) there(text string) string {
	for _, s := range r.stands {
		text = strings.ReplaceAll(text, s[1], s[0])
	}
	return text
}

// newTerminal is a terminal on which somebody has typed text already.
func newTerminal(t *testing.T, text string) io.ReadCloser {
	t.Helper()
	control, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { control.Close() })
	if err := unix.IoctlSetPointerInt(int(control.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(control.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := control.WriteString(text); err != nil {
		t.Fatal(err)
	}
	return terminal
}
