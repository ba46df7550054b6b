package sim

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// stats are the counters of /metrics.
type stats struct {
	mu                sync.Mutex
	prompt, generated int
	finishes          map[string]int
}

func (s *stats) finished(prompt, generated int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prompt += prompt
	s.generated += generated
	if s.finishes == nil {
		s.finishes = map[string]int{}
	}
	s.finishes[reason]++
}

// metrics writes the part of vLLM's metrics that managers read.
func (a *api) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=1.0.0; charset=utf-8")
	a.stats.mu.Lock()
	defer a.stats.mu.Unlock()
	var b strings.Builder
	series := func(name, kind, help string) { fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind) }
	labels := fmt.Sprintf("engine=\"0\",model_name=%q", a.served[0])
	one := func(name, kind, help string, value float64) {
		series(name, kind, help)
		fmt.Fprintf(&b, "%s{%s} %s\n", name, labels, pythonFloat(value))
	}
	series("process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.")
	fmt.Fprintf(&b, "process_start_time_seconds %.2f\n", float64(a.begun.UnixMilli())/1000)
	one("vllm:num_requests_running", "gauge", "Number of requests in model execution batches.", float64(a.requests.open()))
	one("vllm:num_requests_waiting", "gauge", "Number of requests waiting to be processed.", 0)
	one("vllm:kv_cache_usage_perc", "gauge", "KV-cache usage. 1 means 100 percent usage.", 0)
	one("vllm:num_preemptions_total", "counter", "Cumulative number of preemption from the engine.", 0)
	one("vllm:prompt_tokens_total", "counter", "Number of prefill tokens processed.", float64(a.stats.prompt))
	one("vllm:generation_tokens_total", "counter", "Number of generation tokens processed.", float64(a.stats.generated))
	series("vllm:request_success_total", "counter", "Count of successfully processed requests.")
	for _, reason := range []string{"stop", "length", "abort", "error", "repetition"} {
		fmt.Fprintf(&b, "vllm:request_success_total{engine=\"0\",finished_reason=%q,model_name=%q} %d.0\n", reason, a.served[0], a.stats.finishes[reason])
	}
	series("vllm:cache_config_info", "gauge", "Information of the LLMEngine CacheConfig")
	fmt.Fprintf(&b, "vllm:cache_config_info{block_size=\"%d\",engine=\"0\",gpu_memory_utilization=\"%s\"} 1.0\n", a.block, pythonFloat(a.utilization))
	_, _ = w.Write([]byte(b.String()))
}
