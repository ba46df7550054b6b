package vllm

import "github.com/loadoutdev/loadout/engine"

// overhead is what a server takes per GPU besides weights and KV cache:
// activations of one batch, CUDA graphs, CUDA context. Observed between 1.2 and
// 2.5 GiB for models of 3 to 14 billion parameters.
const overhead = 2 << 30

// Memory estimates the bytes per GPU. vLLM fills what gpu_memory_utilization
// allows, however small the model is; only kv_cache_memory_bytes limits it. ok
// is false when the GPU or, for the latter, the weights are unknown.
func (*Provider) Memory(m *engine.Model, gpu engine.GPU) (bytes int64, ok bool) {
	if m.Memory > 0 {
		return m.Memory, true
	}
	if v := m.Args["kv_cache_memory_bytes"]; v != nil {
		kv, ok := Size(plain(v))
		if !ok || m.Facts.WeightBytes == 0 {
			return 0, false
		}
		r := renderer{m: m}
		split := max(1, r.count("tensor_parallel_size")*r.count("pipeline_parallel_size"))
		return m.Facts.WeightBytes/split + kv + overhead, true
	}
	if gpu.Memory == 0 {
		return 0, false
	}
	share := m.Args["gpu_memory_utilization"]
	if share == nil {
		share = flags().byName["gpu_memory_utilization"].Default
	}
	switch share := share.(type) {
	case float64:
		return int64(share * float64(gpu.Memory)), true
	case int64:
		return share * gpu.Memory, true
	}
	return 0, false
}
