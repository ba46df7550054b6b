package sim

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// startup is the state of the wait for the engine. Its oddities are vLLM's: a
// first TERM is swallowed, and when it comes before the engine has said hello,
// leader and engine wait for each other until a time limit; a second TERM ends
// it; INT is kept until the engine is ready.
type startup struct {
	terms     int
	deadlock  bool
	interrupt bool
	hello     bool
}

// startEngine starts the engine and waits until it can generate.
func (l *leader) startEngine() error {
	process, err := start(engineTitle, l.job(), l.stdout, l.stderr)
	if err != nil {
		return err
	}
	l.engine = newEngineClient(process)
	var s startup
	limit := l.readyLimit()
	for {
		select {
		case m, ok := <-process.in:
			if ready, err := l.engineSays(&s, m, ok); ready || err != nil {
				return err
			}
		case sig := <-l.signals:
			if err := l.startupSignal(&s, sig); err != nil {
				return err
			}
		case <-limit.C:
			if s.deadlock {
				l.engine.stop(l.teardown())
				return raise("TimeoutError", "Timed out waiting for engine core processes to start. This is often caused by slow weight loading "+
					"for large models. Waited %s (configured by VLLM_ENGINE_READY_TIMEOUT_S). To increase the timeout, set the environment variable: "+
					"VLLM_ENGINE_READY_TIMEOUT_S=<seconds>", l.readySeconds())
			}
		}
	}
}

// engineSays handles one report of the engine; ready is true when it is up.
func (l *leader) engineSays(s *startup, m message, ok bool) (ready bool, err error) {
	switch {
	case s.deadlock && ok:
		l.engine.note(m)
		return false, nil
	case s.deadlock: // nobody watches the engine any more
		l.engine.process.in = nil
		return false, nil
	case !ok && !s.hello && l.toldToStop(s): // a TERM to the whole group killed the engine
		l.engine.process.in = nil
		return false, nil
	case !ok || m.Kind == kindFailed:
		<-l.engine.process.done
		l.engine.stop(0)
		return false, raise("RuntimeError", "Engine core initialization failed. See root cause above. Failed core proc(s): {'EngineCore': %d}",
			l.engine.process.exitCode())
	case m.Kind == kindHello:
		s.hello = true
		l.engine.process.send(message{Kind: kindGo})
	case m.Kind == kindReady && s.interrupt:
		l.engine.stop(l.teardown())
		return false, errInterrupted
	case m.Kind == kindReady:
		return true, nil
	}
	l.engine.note(m)
	return false, nil
}

// toldToStop looks whether a first TERM is about to arrive.
func (l *leader) toldToStop(s *startup) bool {
	select {
	case sig := <-l.signals:
		return l.startupSignal(s, sig) == nil && s.deadlock
	case <-time.After(50 * time.Millisecond):
		return false
	}
}

func (l *leader) startupSignal(s *startup, sig os.Signal) error {
	if sig == syscall.SIGINT {
		s.interrupt = true
		return nil
	}
	s.terms++
	if s.terms > 1 {
		l.engine.stop(l.teardown())
		return errInterrupted
	}
	s.deadlock = !s.hello
	return nil
}

// teardown is how long the children get between TERM and KILL.
func (l *leader) teardown() time.Duration { return l.pace.scaled(5*time.Second, 50*time.Millisecond) }

func (l *leader) readySeconds() string {
	if s := l.env.get("VLLM_ENGINE_READY_TIMEOUT_S"); s != "" {
		return s + "s"
	}
	return "600s"
}

// readyLimit is not scaled: whoever sets the variable means seconds.
func (l *leader) readyLimit() *time.Timer {
	n, err := strconv.Atoi(strings.TrimSuffix(l.readySeconds(), "s"))
	if err != nil {
		n = 600
	}
	return time.NewTimer(time.Duration(n) * time.Second)
}

// visibleGPUs splits CUDA_VISIBLE_DEVICES; nil when it is not set.
func visibleGPUs(value string) (gpus []string) {
	for g := range strings.SplitSeq(value, ",") {
		if g = strings.TrimSpace(g); g != "" {
			gpus = append(gpus, g)
		}
	}
	return gpus
}

// finish is the last second before listening: TERM is obeyed again, and the
// files that vLLM looks at only now are looked at.
func (l *leader) finish() error {
	l.info("entry.py:136", "Supported tasks: ['generate']")
	for _, module := range l.texts("lora_modules") {
		name, path, _ := strings.Cut(module, "=")
		if _, err := os.Stat(filepath.Join(path, "adapter_config.json")); err != nil {
			return raise("ValueError", "Loading lora %s failed: No adapter found for %s", name, path)
		}
	}
	for _, dest := range []string{"ssl_keyfile", "ssl_certfile"} {
		if path := l.text(dest); path != "" {
			if _, err := os.Stat(path); err != nil {
				return raise("FileNotFoundError", "[Errno 2] No such file or directory")
			}
		}
	}
	return l.pause(l.pace.share(shareFinish))
}

// announce writes the lines of a server that is about to listen.
func (l *leader) announce(url string, routes []route) {
	l.info("entry.py:140", "Starting vLLM server on %s", url)
	l.info("launcher.py:186", "Available routes are:")
	for _, r := range routes {
		l.info("launcher.py:195", "Route: %s, Methods: %s", r.path, r.method)
	}
	fmt.Fprintf(l.stderr, "INFO:     Started server process [%d]\nINFO:     Waiting for application startup.\nINFO:     Application startup complete.\n", os.Getpid())
}
