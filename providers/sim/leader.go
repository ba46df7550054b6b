package sim

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// errInterrupted is the end that vLLM makes by SIGINT when it is told to stop
// while it starts.
var errInterrupted = errors.New("KeyboardInterrupt: terminated")

// leader is the process that was started: it parses, checks, starts the engine
// and serves.
type leader struct {
	logger
	parsed
	options
	env     environment
	fail    wishes
	pace    pace
	stdout  io.Writer
	stderr  io.Writer
	signals chan os.Signal
	begun   time.Time
	model   *checkpoint
	maxLen  int64
	speaker *speaker
	engine  *engineClient
}

func serve(p parsed, env environment, stdout, stderr io.Writer) int {
	l := &leader{logger: logger{stdout, "APIServer"}, parsed: p, options: newOptions(p, env), env: env,
		stdout: stdout, stderr: stderr, signals: make(chan os.Signal, 8), begun: time.Now()}
	var err error
	if l.fail, err = parseWishes(env.get("LOADOUT_SIM_FAIL")); err == nil {
		l.pace, err = readPace(env, l.fail)
	}
	if err != nil {
		fmt.Fprintln(stderr, "loadout sim:", err)
		return exitFailure
	}
	signal.Ignore(syscall.SIGPIPE) // a log that nobody reads is no reason to end
	rename("vllm")
	err = l.run()
	switch {
	case errors.Is(err, errInterrupted):
		fmt.Fprintln(stderr, "Traceback (most recent call last):\nKeyboardInterrupt: terminated")
		return dieBySIGINT()
	case err != nil:
		return report(stderr, err)
	}
	return exitOK
}

// dieBySIGINT ends the process by that signal, which a shell shows as 130. The
// status is returned only where the signal is ignored.
func dieBySIGINT() int {
	signal.Reset(syscall.SIGINT)
	_ = syscall.Kill(os.Getpid(), syscall.SIGINT)
	time.Sleep(100 * time.Millisecond)
	return 130
}

func (l *leader) run() error {
	if err := checkFlags(l.parsed, l.env); err != nil {
		return err
	}
	time.Sleep(l.pace.share(shareImports)) // a TERM ends the process at once
	signal.Notify(l.signals, syscall.SIGTERM, syscall.SIGINT)
	l.banner()
	if err := checkNames(l.parsed); err != nil {
		return err
	}
	port, err := bind(l.host, l.port)
	if err != nil {
		return err
	}
	if err := l.configure(); err != nil {
		return err
	}
	if err := l.startEngine(); err != nil {
		return err
	}
	return l.serveHTTP(port)
}

func (l *leader) banner() {
	art := []string{"", "       █     █     █▄   ▄█", " ▄▄ ▄█ █     █     █ ▀▄▀ █  version " + Version + " (stand-in by Loadout)",
		"  █▄█▀ █     █     █     █  model   " + l.options.model, "   ▀▀  ▀▀▀▀▀ ▀▀▀▀▀ ▀     ▀", ""}
	for _, line := range art {
		l.info("api_utils.py:347", "%s", line)
	}
	l.info("api_utils.py:286", "non-default args: %s", l.nonDefault())
	for _, name := range unknownVariables(l.env) {
		l.warning("envs.py:2211", "Unknown vLLM environment variable detected: %s", name)
	}
}

// configure reads the model's configuration and tokenizer.
func (l *leader) configure() error {
	dir, err := findModel(l.options.model)
	if err != nil {
		return err
	}
	if l.model, err = openCheckpoint(dir); err != nil {
		return err
	}
	if l.maxLen, err = checkModel(l.parsed, l.options, l.model, l.env); err != nil {
		return err
	}
	architecture := "LlamaForCausalLM"
	if a := l.model.config.Architectures; len(a) > 0 {
		architecture = a[0]
	}
	l.info("model.py:733", "Resolved architecture: %s", architecture)
	l.info("model.py:2152", "Using max model len %d", l.maxLen)
	tokens, err := openTokenizer(dir)
	if err != nil {
		return err
	}
	l.speaker = newSpeaker(l.model, tokens, l.served[0])
	return l.pause(l.pace.share(shareConfigure))
}

// pause lets time pass in a part of the start where TERM and INT are obeyed.
func (l *leader) pause(d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-l.signals:
		return errInterrupted
	}
}

// job is what the engine is told.
func (l *leader) job() job {
	gpus := visibleGPUs(l.env.get("CUDA_VISIBLE_DEVICES"))
	j := job{
		Model: l.options.model, Dir: l.model.dir, Shards: l.model.shards, Workers: l.tensors,
		Import: l.pace.share(shareHandshake), Weights: l.pace.share(shareWeights), Warmup: l.pace.share(shareWarmup),
		Step: l.pace.step, Fail: l.fail, Device: "CPU", GPUs: gpus, Ledger: l.env.get("LOADOUT_SIM_GPU"), Utilization: l.utilization,
		Cache: cacheJob{Bytes: 1 << 30, PerToken: l.model.config.cacheBytes(l.elementBytes()), Block: l.block, MaxLen: l.maxLen},
	}
	if l.kvBytes > 0 {
		j.Cache.Bytes = l.kvBytes
	}
	if gpus != nil || j.Ledger != "" {
		j.Device = "GPU"
	}
	if format := l.text("load_format"); !slices.Contains(names("load_formats"), format) {
		j.LoadFormat = format
	}
	if port := l.env.get("VLLM_PORT"); port != "" {
		if _, err := strconv.Atoi(port); err != nil {
			j.PortURI = port
		}
	}
	return j
}
