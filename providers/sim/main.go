package sim

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Version is the release of vLLM whose behavior is kept.
const Version = "0.32.0"

// Exit statuses, as vLLM's.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

const help = `usage: loadout sim vllm serve MODEL [flags]
       loadout sim vllm --version
       loadout sim weights DIR [--words "…"] [--layers N] [--context N]
                               [--filler MIB] [--shards N]

A stand-in for vLLM ` + Version + `, for rehearsals and tests. It is not an inference
engine: it reads the model's files, holds no real GPU memory and runs no model.
"serve" takes the flags of "vllm serve". "weights" writes a tiny model that this
stand-in and the real vLLM both serve.

Environment of "serve":
  LOADOUT_SIM_LOAD   time from start to ready (default 300ms); waits and time
                     limits scale with it
  LOADOUT_SIM_STEP   time per generated token (default 0)
  LOADOUT_SIM_GPU    file that records the GPU memory held, for others to see
  LOADOUT_SIM_FAIL   failures on demand, separated by commas:
`

// Main runs one command of the stand-in: args are what follows "sim", either
// ["vllm", "serve", MODEL, flags…], ["vllm", "--version"] or
// ["weights", DIR, flags…]. It returns the exit status: 0, 1 for a failure, 2
// for wrong usage. serve reads LOADOUT_SIM_LOAD, LOADOUT_SIM_STEP,
// LOADOUT_SIM_GPU and LOADOUT_SIM_FAIL (explained by --help) besides the
// variables that vLLM itself knows, takes over TERM and INT, and ends the
// process by SIGINT where vLLM does.
//
// The engine processes are the same executable started again: the program's
// main must call [Child] first when [IsChild] says so.
func Main(args []string, stdout, stderr io.Writer) int {
	switch {
	case len(args) > 0 && args[0] == "vllm":
		return vllm(args[1:], stdout, stderr)
	case len(args) > 0 && args[0] == "weights":
		return weights(args[1:], stdout, stderr)
	case len(args) > 0 && (args[0] == "--help" || args[0] == "-h"):
		writeHelp(stdout)
		return exitOK
	}
	writeHelp(stderr)
	return exitUsage
}

func writeHelp(w io.Writer) {
	fmt.Fprint(w, help)
	for _, f := range failures {
		fmt.Fprintf(w, "    %-19s %s\n", f.usage, f.doc)
	}
}

// vllm is the outer command line, with the real one's wording.
func vllm(args []string, stdout, stderr io.Writer) int {
	switch {
	case len(args) == 0:
		fmt.Fprintln(stdout, outerUsage)
		return exitFailure
	case args[0] == "-v" || args[0] == "--version":
		fmt.Fprintln(stdout, Version)
		return exitOK
	case args[0] == "-h" || args[0] == "--help":
		writeHelp(stdout)
		return exitOK
	case args[0] != "serve":
		return report(stderr, &usageError{prog: "vllm", message: fmt.Sprintf(
			"argument subparser: invalid choice: %s (choose from %s)", pythonString(args[0]), pythonList(subcommands))})
	}
	p, err := parseServe(args[1:])
	for _, warning := range p.warnings {
		fmt.Fprintln(stderr, warning)
	}
	if errors.Is(err, errHelp) {
		writeHelp(stdout)
		return exitOK
	}
	if err != nil {
		return report(stderr, err)
	}
	return serve(p, environment(os.Environ()), stdout, stderr)
}

var subcommands = []string{"chat", "complete", "serve", "launch", "bench", "collect-env", "download-kernels", "preload", "run-batch", "snapshot"}

var outerUsage = "usage: vllm [-h] [-v]\n            {" + strings.Join(subcommands, ",") + "}\n            ..."

// environment is a list of NAME=value, as os.Environ gives it.
type environment []string

// get gives "" for what is not set.
func (e environment) get(name string) string {
	for _, entry := range e {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// pythonError is an exception that ends the leader: its traceback goes to
// stderr and the exit status is 1.
type pythonError struct {
	class   string // as printed, with its module unless built in
	message string
}

func (e *pythonError) Error() string { return e.class + ": " + e.message }

func raise(class, format string, args ...any) error {
	return &pythonError{class, fmt.Sprintf(format, args...)}
}

// report writes an error where and as vLLM does and returns the exit status.
func report(stderr io.Writer, err error) int {
	if usage := (*usageError)(nil); errors.As(err, &usage) {
		fmt.Fprint(stderr, usage.Error())
		return exitUsage
	}
	fmt.Fprintf(stderr, "Traceback (most recent call last):\n"+
		"  File \"vllm/entrypoints/cli/main.py\", line 120, in main\n"+
		"    args.dispatch_function(args)\n%s\n", err)
	return exitFailure
}
