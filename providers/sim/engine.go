package sim

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// engine is the process VLLM::EngineCore: it starts the workers and passes
// steps to them. It ends by TERM, by a worker's death, or killed by the leader
// – and not by the leader's death.
type engine struct {
	job
	logger
	up      *link
	workers []*child
	signals chan os.Signal
}

func runEngine(j job, up *link) int {
	e := &engine{job: j, up: up, logger: logger{os.Stdout, "EngineCore"}, signals: make(chan os.Signal, 4)}
	time.Sleep(j.Import) // a TERM ends it at once
	signal.Notify(e.signals, syscall.SIGTERM, syscall.SIGINT)
	up.send(message{Kind: kindHello})
	if !e.handshake() {
		return exitFailure
	}
	began := time.Now()
	e.info("core.py:133", "Initializing a V1 LLM engine (v%s) with config: model=%s, tensor_parallel_size=%d, max_seq_len=%d",
		Version, pythonString(j.Model), j.Workers, j.Cache.MaxLen)
	if err := e.load(); err != nil {
		return e.failed(err)
	}
	time.Sleep(j.Warmup)
	e.info("core.py:402", "init engine (profile, create kv cache, warmup model) took %.2f s", time.Since(began).Seconds())
	up.send(message{Kind: kindReady})
	return e.run()
}

// handshake waits for the leader. One that was told to stop, or was killed,
// never answers: the engine then stays until a TERM.
func (e *engine) handshake() bool {
	for orders := e.up.in; ; {
		select {
		case m, ok := <-orders:
			if m.Kind == kindGo {
				return true
			}
			if !ok {
				orders = nil
			}
		case <-e.signals:
			return false
		}
	}
}

// load starts the workers, waits for all and sizes the cache.
func (e *engine) load() error {
	for rank := range e.Workers {
		j, title := e.job, workerTitle
		j.Rank = rank
		if e.Workers > 1 {
			title = fmt.Sprintf("%s_TP%d", workerTitle, rank)
		}
		if rank < len(e.GPUs) {
			j.GPU = e.GPUs[rank]
		}
		w, err := start(title, j, os.Stdout, os.Stderr)
		if err != nil {
			return err
		}
		e.workers = append(e.workers, w)
		e.up.send(message{Kind: kindWorker, Pid: w.pid})
	}
	for _, w := range e.workers {
		if !e.ready(w) {
			return raise("Exception", "WorkerProc initialization failed due to an exception in a background process. See stack trace for root cause.")
		}
	}
	return e.sizeCache()
}

// ready waits until a worker has loaded, or failed. TERM ends the engine: it is
// what the leader sends when it gives up.
func (e *engine) ready(w *child) bool {
	for {
		select {
		case m, ok := <-w.in:
			if !ok || m.Kind == kindFailed {
				return false
			}
			if m.Kind == kindReady {
				return true
			}
		case <-e.signals:
			e.killWorkers()
			os.Exit(exitFailure)
		}
	}
}

// sizeCache works out how many tokens fit and refuses a model whose longest
// request does not. One block stays empty, as in vLLM.
func (e *engine) sizeCache() error {
	c := e.Cache
	blocks := c.Bytes / (c.PerToken * c.Block)
	fits := (blocks - 1) * c.Block
	if text, asked := e.Fail["kv-cache"]; asked {
		blocks, fits = 2, 1024
		if text != "" {
			if _, err := fmt.Sscan(text, &fits); err != nil {
				return fmt.Errorf("LOADOUT_SIM_FAIL=kv-cache=%s: not a number of tokens", text)
			}
		}
	}
	if blocks <= 1 {
		return raise("ValueError", "No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine. "+
			"See https://docs.vllm.ai/en/latest/configuration/conserving_memory/ for more details.")
	}
	if fits < c.MaxLen {
		return raise("ValueError", "To serve at least one request with the model's max seq len (%d), (%s GiB KV cache is needed, which is larger than "+
			"the available KV cache memory (%s GiB). Based on the available memory, the estimated maximum model length is %d. "+
			"Try increasing `gpu_memory_utilization` or decreasing `max_model_len` when initializing the engine. "+
			"See https://docs.vllm.ai/en/latest/configuration/conserving_memory/ for more details.",
			c.MaxLen, gib(c.MaxLen*c.PerToken), gib(fits*c.PerToken), fits)
	}
	tokens := blocks * c.Block
	e.info("kv_cache_utils.py:2327", "%s KV cache size: %s tokens, Maximum concurrency for %s tokens per request: %.2fx",
		e.Device, thousands(tokens), thousands(c.MaxLen), float64(tokens)/float64(c.MaxLen))
	return nil
}

// failed reports why the engine does not start, as vLLM does: on stdout with a
// prefix and once more, plain, on stderr.
func (e *engine) failed(err error) int {
	e.killWorkers()
	e.error("core.py:1510", "EngineCore failed to start.\nTraceback (most recent call last):\n"+
		"  File \"vllm/v1/engine/core.py\", line 1482, in run_engine_core\n"+
		"    engine_core = EngineCoreProc(*args, engine_index=dp_rank, **kwargs)\n%s", err)
	fmt.Fprintf(os.Stderr, "Process EngineCore:\nTraceback (most recent call last):\n"+
		"  File \"vllm/v1/engine/core.py\", line 1514, in run_engine_core\n    raise e\n%s\n", err)
	e.up.send(message{Kind: kindFailed})
	return exitFailure
}

// run passes steps between the leader and the first worker.
func (e *engine) run() int {
	dead, orders := make(chan *child, len(e.workers)), e.up.in
	for _, w := range e.workers {
		go func() { <-w.done; dead <- w }()
	}
	crash := e.crashTimer()
	for {
		select {
		case s := <-e.signals:
			return e.shutdown(s)
		case w := <-dead:
			return e.workerDied(w)
		case <-crash:
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		case m, ok := <-orders:
			if !ok {
				orders = nil // the leader is gone; the memory stays held
				continue
			}
			e.workers[0].send(m)
		case m, ok := <-e.workers[0].in:
			if !ok {
				return e.workerDied(e.workers[0])
			}
			e.up.send(m)
		}
	}
}

func (e *engine) crashTimer() <-chan time.Time {
	d, err := time.ParseDuration(e.Fail["crash-after"])
	if err != nil {
		return nil
	}
	return time.After(d)
}

func (e *engine) shutdown(s os.Signal) int {
	name := map[os.Signal]string{syscall.SIGTERM: "SIGTERM", syscall.SIGINT: "SIGINT"}[s]
	e.info("core.py:1454", "[shutdown] EngineCore: trigger received signal=%s", name)
	e.info("core.py:1635", "[shutdown] EngineCore: start mode=abort timeout=0s")
	e.info("core.py:1499", "[shutdown] EngineCore: exiting busy loop")
	e.info("multiproc_executor.py:479", "[shutdown] Executor: waiting for worker exit count=%d", len(e.workers))
	e.killWorkers()
	return exitOK
}

func (e *engine) workerDied(w *child) int {
	<-w.done
	e.error("multiproc_executor.py:287", "Worker proc %s died unexpectedly (exit code: %d), shutting down executor.",
		strings.Replace(w.title, workerTitle, "VllmWorker-0", 1), w.exitCode())
	e.error("core.py:1519", "EngineCore encountered a fatal error.\nTraceback (most recent call last):\n"+
		"  File \"vllm/v1/engine/core.py\", line 1499, in run_busy_loop\nRuntimeError: Executor failed.")
	e.killWorkers()
	return exitFailure
}

func (e *engine) killWorkers() {
	for _, w := range e.workers {
		w.signal(syscall.SIGKILL)
	}
	for _, w := range e.workers {
		<-w.done
	}
}
