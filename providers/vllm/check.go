package vllm

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/providers/process"
)

// generationKeys are what vLLM takes from a generation config (0.32.0,
// ModelConfig.get_diff_sampling_param); it ignores everything else silently.
var generationKeys = []string{
	"repetition_penalty", "presence_penalty", "frequency_penalty",
	"temperature", "top_k", "top_p", "min_p", "max_new_tokens",
}

// checkHost checks what concerns the machine: port, environment, and settings
// that another kind of backend would honor.
func (r *renderer) checkHost() {
	m := r.m
	if m.Port == 0 && m.Served {
		r.fail("port_missing", "port", fmt.Sprintf("model %q has no port", m.Name), fmt.Sprintf("Set port in the block serve %q.", m.Name))
	}
	if m.Port < 0 || m.Port > 65535 {
		r.fail("wrong_type", "port", fmt.Sprintf("%d is no TCP port", m.Port), "A port is a number from 1 to 65535.")
	}
	for _, name := range slices.Sorted(maps.Keys(m.Env)) {
		path := engine.JoinPath("env", name)
		if why, no := process.Reserved(name, len(m.GPUs) > 0); no {
			r.fail("reserved_variable", path, path+" cannot be set", "Loadout sets it: "+why+".")
		}
	}
	if _, set := m.Env["VLLM_PORT"]; set {
		r.fail("reserved_variable", "env.VLLM_PORT", "env.VLLM_PORT cannot be set", "It is not the port that the server listens on, but one for its own processes. Set port in the serve block.")
	}
	r.checkEnvironment()
	r.checkNames()
	for _, path := range []string{"keep_alive", "url"} {
		if l, ok := m.Leaf(path); ok && l.Value != nil && l.Origin.Layer != engine.LayerDefault {
			r.fail("unsupported_setting", path, fmt.Sprintf("vLLM has no %s", path), "It is for a backend that is a service of its own (Ollama). Remove it.")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(m.Generation)) {
		if !slices.Contains(generationKeys, key) {
			r.warn("unknown_setting", engine.JoinPath("generation", key), fmt.Sprintf("vLLM ignores generation.%s", key), "It takes "+strings.Join(generationKeys, ", ")+".")
		}
	}
}

// checkFit compares arguments with what is known of the model and the GPUs.
func (r *renderer) checkFit() {
	r.checkContext()
	r.checkGPUs()
	r.checkUtilization()
	if r.m.Args["enable_auto_tool_choice"] == true && r.m.Args["tool_call_parser"] == nil && r.from["tool_call_parser"] == "" {
		r.fail("missing_argument", "args.enable_auto_tool_choice", "args.enable_auto_tool_choice needs args.tool_call_parser", "vLLM does not start without it.")
	}
}

// checkUtilization: the parser takes any number, and the engine fails on it after
// the imports.
func (r *renderer) checkUtilization() {
	const path = "args.gpu_memory_utilization"
	u, err := strconv.ParseFloat(plain(r.m.Args["gpu_memory_utilization"]), 64)
	switch {
	case err != nil || u > 0 && u <= 1:
	case u > 1 && u <= 100:
		r.fail("out_of_range", path, path+" must be between 0 and 1", fmt.Sprintf("It is a fraction of the GPU's memory. Did you mean %g?", u/100))
	default:
		r.fail("out_of_range", path, path+" must be between 0 and 1", "It is a fraction of the GPU's memory.")
	}
}

func (r *renderer) checkContext() {
	longest := r.m.Facts.ContextLength
	want, ok := Size(plain(r.m.Args["max_model_len"]))
	if !ok || longest == 0 || want <= longest || r.m.Env["VLLM_ALLOW_LONG_MAX_MODEL_LEN"] == "1" {
		return
	}
	r.warn("context_too_long", "args.max_model_len",
		fmt.Sprintf("args.max_model_len is %d, and the model was made for %d", want, longest),
		fmt.Sprintf(`vLLM refuses it unless env.VLLM_ALLOW_LONG_MAX_MODEL_LEN is "1". Set it to %d or less.`, longest))
}

func (r *renderer) checkGPUs() {
	have := len(r.m.GPUs)
	if have == 0 {
		have = len(r.env.GPUs)
	}
	tensor, pipeline := r.count("tensor_parallel_size"), r.count("pipeline_parallel_size")
	if have == 0 || tensor*pipeline <= int64(have) {
		return
	}
	path := "args.tensor_parallel_size"
	if tensor == 1 {
		path = "args.pipeline_parallel_size"
	}
	r.fail("not_enough_gpus", path, fmt.Sprintf("the model is split over %d GPUs and has %d", tensor*pipeline, have),
		fmt.Sprintf("List %d GPUs in gpus of the serve block, or lower %s.", tensor*pipeline, path))
}

// count is a whole number of args, or vLLM's default.
func (r *renderer) count(name string) int64 {
	if n, ok := r.m.Args[name].(int64); ok {
		return n
	}
	n, _ := flags().byName[name].Default.(int64)
	return n
}
