package sim

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// worker is the process that holds the memory: it reads the weights' headers
// and answers steps. It ends when the engine is gone.
type worker struct {
	job
	logger
	up    *link
	early []message // orders that came while it loaded
}

func runWorker(j job, name string, up *link) int {
	w := &worker{job: j, up: up, logger: logger{os.Stdout, name}}
	if !w.wait(j.Import) {
		return exitFailure
	}
	if err := w.load(); err != nil {
		w.error("multiproc_executor.py:953", "WorkerProc failed to start.\nTraceback (most recent call last):\n"+
			"  File \"vllm/v1/executor/multiproc_executor.py\", line 920, in worker_main\n"+
			"    worker = WorkerProc(*args, **kwargs)\n%s", err)
		up.send(message{Kind: kindFailed})
		return exitFailure
	}
	up.send(message{Kind: kindReady})
	return w.run()
}

// wait passes time; false when the engine has gone meanwhile.
func (w *worker) wait(d time.Duration) bool {
	timer := time.After(d)
	for {
		select {
		case <-timer:
			return true
		case m, ok := <-w.up.in:
			if !ok {
				return false
			}
			w.early = append(w.early, m)
		}
	}
}

func (w *worker) load() error {
	if w.PortURI != "" {
		return raise("ValueError", "VLLM_PORT %s appears to be a URI. This may be caused by a Kubernetes service discovery issue,"+
			"check the warning in: https://docs.vllm.ai/en/stable/serving/env_vars.html", pythonString(w.PortURI))
	}
	if err := w.takeMemory(); err != nil {
		return err
	}
	w.info("cpu_model_runner.py:68", "Starting to load model %s...", w.Model)
	began := time.Now()
	total, err := w.loadShards()
	if err != nil {
		return err
	}
	w.info("default_loader.py:501", "Loading weights took %.2f seconds", time.Since(began).Seconds())
	if w.Device == "GPU" {
		w.info("gpu_model_runner.py:4462", "Model loading took %s GiB memory and %.6f seconds", gib(total), time.Since(began).Seconds())
	}
	return nil
}

// takeMemory checks what is free and records what it takes.
func (w *worker) takeMemory() error {
	if w.Fail.has("free-memory") {
		return shortOfMemory(w.Rank, 3<<30+1<<28, 24<<30, w.Utilization)
	}
	if w.Ledger == "" {
		return nil
	}
	return updateLedger(w.Ledger, func(l *Ledger) error {
		gpu, known := l.find(w.GPU)
		take := w.Cache.Bytes + w.weightBytes()
		if known && gpu.Bytes > 0 {
			take = int64(w.Utilization * float64(gpu.Bytes))
			if free := gpu.Bytes - l.Used(gpu.UUID); free < take {
				return shortOfMemory(w.Rank, free, gpu.Bytes, w.Utilization)
			}
		}
		l.hold(gpu.UUID, take)
		return nil
	})
}

func shortOfMemory(rank int, free, total int64, utilization float64) error {
	return raise("ValueError", "Free memory on device cuda:%d (%s/%s GiB) on startup is less than desired GPU memory utilization (%s, %s GiB). "+
		"Decrease GPU memory utilization or reduce GPU memory used by other processes.",
		rank, gib(free), gib(total), pythonFloat(utilization), gib(int64(utilization*float64(total))))
}

func (w *worker) weightBytes() int64 {
	return (&checkpoint{dir: w.Dir, shards: w.Shards}).weightBytes()
}

// loadShards reads the header of each file and lets the time pass that its
// share of the bytes takes.
func (w *worker) loadShards() (int64, error) {
	if w.LoadFormat != "" {
		return 0, raise("ValueError", "Load format `%s` is not supported", w.LoadFormat)
	}
	if len(w.Shards) == 0 {
		return 0, raise("RuntimeError", "Cannot find any model weights with `%s`", w.Dir)
	}
	began, total := time.Now(), int64(0)
	w.progress(0, began)
	for i, shard := range w.Shards {
		size, err := w.loadShard(filepath.Join(w.Dir, shard))
		if err != nil {
			return 0, err
		}
		total += size
		w.progress(i+1, began)
	}
	return total, nil
}

func (w *worker) loadShard(path string) (int64, error) {
	h, err := readHeader(path)
	missing := (*fs.PathError)(nil)
	if err != nil && !errors.As(err, &missing) {
		return 0, raise("safetensors._safetensors_rust.SafetensorError", "Error while deserializing header: %s", err)
	}
	if err != nil {
		return 0, raise("FileNotFoundError", "No such file or directory: %s", path)
	}
	if !w.wait(w.Weights / time.Duration(len(w.Shards))) {
		os.Exit(exitFailure)
	}
	return h.end(), w.failOnDemand()
}

// failOnDemand does what was asked to go wrong in the middle of loading.
func (w *worker) failOnDemand() error {
	switch {
	case w.Fail.has("die-loading"):
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case w.Fail.has("never-ready"):
		if !w.wait(1<<63 - 1) {
			os.Exit(exitFailure)
		}
	case w.Fail.has("oom"):
		return raise("torch.OutOfMemoryError", "Failed to load model - not enough GPU memory. Try lowering --gpu-memory-utilization to free memory for weights, "+
			"increasing --tensor-parallel-size, or using --quantization. (original error: CUDA out of memory. Tried to allocate 2.00 GiB. "+
			"GPU 0 has a total capacity of 23.43 GiB of which 1.12 GiB is free.)")
	}
	return nil
}

// progress draws the bar as it looks in a file: a carriage return in front of
// each state, all on stderr, from the first worker only.
func (w *worker) progress(done int, began time.Time) {
	if w.Rank > 0 {
		return
	}
	n, elapsed := len(w.Shards), time.Since(began)
	clock, speed := fmt.Sprintf("%02d:%02d", int(elapsed.Minutes()), int(elapsed.Seconds())%60), "?it/s"
	left := "?"
	if done > 0 {
		left = "00:00"
		speed = fmt.Sprintf("%.2fit/s", float64(done)/max(elapsed.Seconds(), 1e-6))
	}
	end := ""
	if done == n {
		end = "\n"
	}
	fmt.Fprintf(os.Stderr, "\rLoading safetensors checkpoint shards: %3d%% Completed | %d/%d [%s<%s, %s]\n%s",
		100*done/n, done, n, clock, left, speed, end)
}

// run answers steps until the engine is gone.
func (w *worker) run() int {
	for _, m := range w.early {
		w.step(m)
	}
	for m := range w.up.in {
		w.step(m)
	}
	w.info("multiproc_executor.py:843", "Parent process exited, terminating worker queues")
	return exitOK
}

func (w *worker) step(m message) {
	switch {
	case w.Fail.has("hang-engine"):
		return
	case w.Fail.has("no-token"):
		w.error("multiproc_executor.py:1023", "WorkerProc hit an exception.\nTraceback (most recent call last):\n"+
			"  File \"vllm/v1/executor/multiproc_executor.py\", line 1018, in worker_busy_loop\n"+
			"RuntimeError: Unsupported CPU attention configuration: head_dim=16 isa=2 kv_cache_idx=0")
		os.Exit(exitFailure)
	}
	time.Sleep(w.Step)
	w.up.send(m)
}
