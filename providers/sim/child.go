package sim

import (
	"encoding/json"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const (
	engineTitle = "VLLM::EngineCore"
	workerTitle = "VLLM::Worker"
)

// job is what a child is told, through a pipe.
type job struct {
	Model   string // as given on the command line
	Dir     string
	Shards  []string
	Rank    int
	Workers int
	Import  time.Duration
	Weights time.Duration
	Warmup  time.Duration
	Step    time.Duration
	Fail    wishes

	Device      string // GPU or CPU, as the messages say it
	GPU         string // of this worker, as CUDA_VISIBLE_DEVICES names it
	GPUs        []string
	Ledger      string  // file that records memory held; "" for none
	Utilization float64 // part of the memory to take
	Cache       cacheJob
	PortURI     string // VLLM_PORT when it is a URI, which the worker refuses
	LoadFormat  string
}

// cacheJob is how the KV cache is made.
type cacheJob struct {
	Bytes    int64 // 0: what is left of the memory
	PerToken int64
	Block    int64
	MaxLen   int64
}

// IsChild says whether a program that was started with this argv[0] is one of
// the stand-in's engine processes: its main must hand over to [Child] then.
func IsChild(argv0 string) bool { return strings.HasPrefix(argv0, "VLLM::") }

// Child runs an engine process and returns its exit status. It reads its job
// from an inherited pipe, so it is of no use when started by hand.
func Child(argv0 string) int {
	syscall.CloseOnExec(ordersFd)
	syscall.CloseOnExec(reportsFd)
	signal.Ignore(syscall.SIGPIPE)
	rename(argv0)
	orders, reports := os.NewFile(ordersFd, "orders"), os.NewFile(reportsFd, "reports")
	decoder := json.NewDecoder(orders)
	var j job
	if err := decoder.Decode(&j); err != nil {
		os.Stderr.WriteString(argv0 + " is started by `loadout sim vllm serve` only\n")
		return exitUsage
	}
	up := newLink(io.MultiReader(decoder.Buffered(), orders), reports)
	if argv0 == engineTitle {
		return runEngine(j, up)
	}
	return runWorker(j, strings.TrimPrefix(argv0, "VLLM::"), up)
}

// rename sets the name that ps and top show. It is cut to 15 bytes by the
// kernel; that it may fail does no harm.
func rename(title string) { _ = os.WriteFile("/proc/self/comm", []byte(title), 0) }
