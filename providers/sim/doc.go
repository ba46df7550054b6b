// Package sim is a stand-in for vLLM: `loadout sim vllm serve MODEL [flags]`
// behaves, as far as a manager of servers can see, like `vllm serve` of vLLM
// 0.32.0. It parses the same command line, reads the real config.json,
// tokenizer and safetensors headers, takes the port before it loads and listens
// only at the end, writes the same log, keeps engine processes that hold
// "memory", answers the same HTTP, and has the real one's oddities: a TERM
// swallowed while loading, engine processes that survive a killed leader, exit
// status 0 after the engine's death, a second server that gets ready deaf.
//
// It is for rehearsals, demos and tests. It never runs a model, uses no GPU and
// downloads nothing: its answers are looked up in the weights of a tiny
// generated model ([WriteWeights]), or say that no model was run.
//
// The package sets nothing that vLLM would not: every wish is an environment
// variable of the leader (see [Main]), and the engine processes get none.
package sim
