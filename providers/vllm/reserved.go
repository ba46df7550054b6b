package vllm

import (
	"github.com/loadoutdev/loadout/engine"
)

// reserved are flags that Loadout sets itself or cannot work with, with what to
// do instead. chat_template and override_generation_config are free as long as
// the attributes that lead to them are not set.
var reserved = map[string]string{
	"port":              "Set port in the serve block.",
	"host":              "Set host in the serve block.",
	"served_model_name": "Set served_name and aliases.",
	"model":             "Set source in the model block.",
	"config":            "Set the arguments in args: a config file would hide them from the plan.",
	"api_key":           "Set VLLM_API_KEY in env: everybody can read the command line of a process.",
	"hf_token":          "Set HF_TOKEN in env: everybody can read the command line of a process.",
	"uds":               "Loadout watches a TCP port: set port in the serve block.",
	"headless":          "A headless server answers nobody, so it could not be watched.",
	"grpc":              "Loadout watches the HTTP server, which gRPC replaces.",
}

// removed are flags of earlier releases that people still have in their files.
var removed = map[string]string{
	"swap_space":              "It was removed in vLLM 0.18. To offload the KV cache, see kv_offloading_size.",
	"device":                  "vLLM finds the device itself. Set gpus in the serve block.",
	"task":                    "Use runner (generate, pooling) and convert (embed, classify).",
	"disable_log_requests":    "Requests are no longer logged unless enable_log_requests is true.",
	"enable_reasoning":        "reasoning_parser alone is enough.",
	"worker_use_ray":          `Use distributed_executor_backend = "ray".`,
	"use_v2_block_manager":    "There is no other one any more.",
	"num_scheduler_steps":     "The engine schedules asynchronously; see async_scheduling.",
	"guided_decoding_backend": `Use structured_outputs_config = { backend = … }.`,
}

// blocked tells why a flag cannot be given although vLLM knows it.
func blocked(m *engine.Model, name string) (way string, yes bool) {
	switch name {
	case "chat_template":
		return "chat_template is set: it is passed to vLLM already.", m.ChatTemplate != ""
	case "override_generation_config":
		return "generation is set: it is passed to vLLM already.", len(m.Generation) > 0
	}
	way, yes = reserved[name]
	return way, yes
}
