package sim

import (
	"fmt"
	"strings"
)

// options is what the stand-in acts upon: the flags in the types that it needs.
// All other flags are parsed, checked and shown in the log, nothing more.
type options struct {
	model       string
	served      []string
	host        string // "" means all addresses
	port        int
	maxLen      int64 // -1 and 0: derived from the model
	tensors     int   // tensor parallel size
	utilization float64
	kvBytes     int64 // 0: not given
	block       int64
	dtype       string
	apiKeys     []string
	drain       int64 // seconds to let open requests finish at the end
	tracksLoad  bool
	accessLog   bool
	autoTools   bool
	chat        string // chat template: a path or the text; "" for the model's own
	devMode     bool
	keepDead    bool // keep answering after the engine's death
}

func newOptions(p parsed, env environment) options {
	o := options{
		model: p.model, host: p.text("host"), port: int(p.number("port")), maxLen: p.number("max_model_len"),
		tensors: int(max(1, p.number("tensor_parallel_size"))), kvBytes: p.number("kv_cache_memory_bytes"),
		block: p.number("block_size"), dtype: p.text("dtype"), drain: p.number("shutdown_timeout"),
		tracksLoad: p.on("enable_server_load_tracking"), accessLog: !p.on("disable_uvicorn_access_log"),
		autoTools: p.on("enable_auto_tool_choice"), chat: p.text("chat_template"),
		served: p.texts("served_model_name"), apiKeys: p.texts("api_key"),
		devMode: env.get("VLLM_SERVER_DEV_MODE") == "1", keepDead: env.get("VLLM_KEEP_ALIVE_ON_ENGINE_DEATH") == "1",
	}
	o.utilization, _ = p.values["gpu_memory_utilization"].(float64)
	if len(o.served) == 0 {
		o.served = []string{p.model}
	}
	if key := env.get("VLLM_API_KEY"); len(o.apiKeys) == 0 && key != "" {
		o.apiKeys = []string{key}
	}
	if o.block <= 0 {
		o.block = 16
	}
	return o
}

// elementBytes is the width of one element of the KV cache.
func (o options) elementBytes() int64 {
	if o.dtype == "float32" || o.dtype == "float" {
		return 4
	}
	return 2
}

func (p parsed) text(dest string) string {
	s, _ := p.values[dest].(string)
	return s
}

func (p parsed) number(dest string) int64 {
	n, _ := p.values[dest].(int64)
	return n
}

func (p parsed) on(dest string) bool {
	b, _ := p.values[dest].(bool)
	return b
}

func (p parsed) texts(dest string) (all []string) {
	list, _ := p.values[dest].([]any)
	for _, v := range list {
		if s, ok := v.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

// nonDefault lists what was given and differs from the default, as the log
// line "non-default args" does.
func (p parsed) nonDefault() string {
	parts := []string{fmt.Sprintf("'model_tag': %s", pythonString(p.model))}
	for _, f := range p.flags.ordered {
		v := p.values[f.dest()]
		if f.dest() == "model" {
			v = p.model
		}
		if python(v) == python(f.fallback) {
			continue
		}
		if f.dest() == "api_key" {
			v = "***"
		}
		parts = append(parts, fmt.Sprintf("'%s': %s", f.dest(), python(v)))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
