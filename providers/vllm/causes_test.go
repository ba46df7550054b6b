package vllm

import (
	"strings"
	"testing"
)

// The texts are those that vLLM 0.32.0 wrote, cut where they are long, and of
// GPU failures as they were reported for 0.19 to 0.29.
func TestDiagnose(t *testing.T) {
	const (
		worker = "(Worker pid=9) ERROR 11-22 12:49:27 [multiproc_executor.py:953] "
		core   = "(EngineCore pid=8) ERROR 11-22 12:49:27 [core.py:1100] "
		end    = "\nRuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {'EngineCore': 1}\n/usr/lib/python3.12/multiprocessing/resource_tracker.py:254: UserWarning: resource_tracker: There appear to be 1 leaked semaphore objects to clean up at shutdown"
		config = "(APIServer pid=7) INFO 11-22 12:49:27 [model.py:733] Resolved architecture: LlamaForCausalLM\nTraceback (most recent call last):\n    raise ValueError(\"trust_remote_code=True\")\npydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig\n  Value error, "
		tail   = " [type=value_error, input_value=ArgsKwargs((), {'model': 'x'}), input_type=ArgsKwargs]\n    For further information visit https://errors.pydantic.dev/2.12/v/value_error"
	)
	tests := map[string]struct{ log, class, field, cause, hint string }{
		"unknown flag":         {"usage: vllm [-h]\nvllm: error: unrecognized arguments: --foo-bar 1", classArgument, "args.foo_bar", "unrecognized arguments: --foo-bar 1", "does not know"},
		"removed flag":         {"vllm: error: unrecognized arguments: --swap-space 4", classArgument, "args.swap_space", "--swap-space", "does not know"},
		"task":                 {"vllm: error: unrecognized arguments: --task generate\n\nHint: --task is not a vllm serve option. For embedding, use --runner", classArgument, "args.task", "--task", "For embedding"},
		"bad choice":           {"vllm serve: error: argument --dtype: invalid choice: 'int3' (choose from 'auto', 'half')", classArgument, "args.dtype", "invalid choice: 'int3'", ""},
		"ambiguous":            {"vllm serve: error: ambiguous option: --max-l could match --max-log-len, --max-logprobs", classArgument, "args.max_l", "ambiguous", "does not know"},
		"bad int":              {"vllm serve: error: argument --port: invalid int value: 'abc'", classArgument, "args.port", "invalid int value", ""},
		"bad JSON":             {"vllm serve: error: argument --limit-mm-per-prompt: Value {image:4} cannot be converted to <function loads at 0x7f>.", classArgument, "args.limit_mm_per_prompt", "cannot be converted", ""},
		"short and long":       {"vllm serve: error: argument --tensor-parallel-size/-tp: invalid int value: 'x'", classArgument, "args.tensor_parallel_size", "invalid int", ""},
		"tools without parser": {"TypeError: Error: --enable-auto-tool-choice requires --tool-call-parser", classArgument, "args.tool_call_parser", "--enable-auto-tool-choice requires", "set args.tool_call_parser"},
		"tool parser":          {"KeyError: 'invalid tool call parser: herms (chose from { apertus,hermes,mistral })'", classArgument, "args.tool_call_parser", "invalid tool call parser: herms", `"hermes"`},
		"reasoning parser":     {"KeyError: \"Reasoning parser 'qwen' not found. Available parsers: cohere_command3, qwen3\"", classArgument, "args.reasoning_parser", "Reasoning parser 'qwen' not found", `"qwen3"`},
		"old reasoning parser": {"KeyError: 'invalid reasoning parser: nope'", classArgument, "args.reasoning_parser", "nope", "knows"},
		"chat template":        {"vllm.exceptions.VLLMValidationError: The supplied chat template string (/missing.jinja) appears path-like, but doesn't exist! Tried: x (parameter=chat_template)", classMissing, "args.chat_template", "/missing.jinja", "exists"},
		"file":                 {"FileNotFoundError: [Errno 2] No such file or directory: '/missing.yaml'", classMissing, "", "/missing.yaml", "/missing.yaml does not exist"},
		"TLS file":             {"FileNotFoundError: [Errno 2] No such file or directory", classMissing, "args.ssl_certfile", "No such file", "ssl_keyfile"},
		"model not first":      {"ValueError: `model` should be provided as the first positional argument when using `vllm serve`. i.e. `vllm serve <model> --<arg> <value>`.", classArgument, "command", "first positional", "command"},
		"environment":          {"ValueError: Unknown vLLM environment variable detected: VLLM_BOGUS_THING", classArgument, "env", "VLLM_BOGUS_THING", "remove env.VLLM_BOGUS_THING"},
		"port taken":           {"OSError: [Errno 98] Address already in use", classPort, "port", "OSError: [Errno 98] Address already in use", "port"},
		"host":                 {"OSError: [Errno 99] Cannot assign requested address", classArgument, "host", "Cannot assign", "address of this machine"},
		"port too high":        {"OverflowError: bind(): port must be 0-65535.", classArgument, "port", "0-65535", "65535"},
		"no directory":         {"huggingface_hub.errors.HFValidationError: Repo id must be in the form 'repo_name' or 'namespace/repo_name': '/models/x'. Use `repo_type` argument if needed.", classMissing, "source", "Repo id must be", "does not exist"},
		"not cached":           {"huggingface_hub.errors.LocalEntryNotFoundError: Cannot find an appropriate cached snapshot folder for the specified revision on the local disk and outgoing traffic has been disabled.", classMissing, "source", "LocalEntryNotFoundError", "HF_HUB_OFFLINE"},
		"no config.json":       {config + "Invalid repository ID or local directory specified: '/models/x'." + tail, classMissing, "source", "Invalid repository ID or local directory specified: '/models/x'.", "no config.json"},
		"broken config.json":   {"OSError: It looks like the config file at '/models/x/config.json' is not a valid JSON file.", classBadFile, "source", "not a valid JSON", "/models/x/config.json"},
		"model type":           {config + "The checkpoint you are trying to load has model type `foo` but Transformers does not recognize this architecture. This could be" + tail, classModel, "source", "model type `foo`", "foo"},
		"remote code":          {config + "The repository /m contains custom code which must be executed to correctly load the model. You can inspect it\nPlease pass the argument `trust_remote_code=True` to allow custom code to be run." + tail, classRemote, "args.trust_remote_code", "contains custom code", "trust_remote_code to true"},
		"tokenizer":            {"ValueError: Couldn't instantiate the backend tokenizer from one of: \n(1) a `tokenizers` library serialization file", classTokenizer, "source", "Couldn't instantiate", "tokenizer files"},
		"too long":             {config + "User-specified max_model_len (5000) is greater than the derived max_model_len (max_position_embeddings=2048.0 or model_max_length=None in model's config.json). To allow overriding this maximum" + tail, classArgument, "args.max_model_len", "User-specified max_model_len (5000)", "to 2048 or less"},
		"heads":                {config + "Total number of attention heads (12) must be divisible by tensor parallel size (5)." + tail, classArgument, "args.tensor_parallel_size", "Total number of attention heads (12) must be divisible by tensor parallel size (5).", "1, 2, 3, 4, 6, 12"},
		"not quantized":        {config + "Cannot find the config file for awq" + tail, classArgument, "args.quantization", "Cannot find the config file for awq", "not quantized with awq"},
		"quantization":         {config + "Unknown quantization method: nope. Must be one of ['awq', 'fp8']." + tail, classArgument, "args.quantization", "Unknown quantization method: nope", `"nope"`},
		"other quantization":   {config + "Quantization method specified in the model config (gptq) does not match the quantization method specified in the `quantization` argument (awq)." + tail, classArgument, "args.quantization", "gptq", "quantized with gptq"},
		"load format":          {worker + "ValueError: Load format `nope` is not supported" + end, classArgument, "args.load_format", "Load format `nope` is not supported", "load_format"},
		"truncated weights":    {worker + "safetensors._safetensors_rust.SafetensorError: Error while deserializing header: incomplete metadata, file not fully covered" + end, classBadFile, "source", "SafetensorError: Error while deserializing header", "download"},
		"no weights":           {worker + "RuntimeError: Cannot find any model weights with `/models/x`" + end, classMissing, "source", "Cannot find any model weights with `/models/x`", "no weights"},
		"CPU cache too large":  {worker + "ValueError: Available memory on node 0 (17.17/19.71 GiB) on kv cache allocation is less than requested memory for kv (200.0 GiB). Decrease --kv-cache-memory-bytes" + end, classMemory, "env.VLLM_CPU_KVCACHE_SPACE", "200.0 GiB", "200.0 GiB are asked for and 17.17 GiB are free"},
		"CPU memory":           {"(VllmWorker-0 pid=9) ERROR 11-22 12:49:27 [x.py:1] ValueError: Available memory on node 0 (17.12/19.71 GiB) on startup is less than desired CPU memory utilization (0.92, 18.14 GiB). On the CPU backend" + end, classMemory, "args.gpu_memory_utilization", "17.12/19.71", "to 0.86 or less"},
		"GPU memory":           {core + "ValueError: Free memory on device cuda:0 (3.25/23.43 GiB) on startup is less than desired GPU memory utilization (0.96, 22.49 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes." + end, classMemory, "args.gpu_memory_utilization", "Free memory on device cuda:0 (3.25/23.43 GiB)", "to 0.13 or less"},
		"no cache left":        {core + "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine." + end, classKVCache, "args.gpu_memory_utilization", "No available memory for the cache blocks.", "raise"},
		"cache too small":      {core + "ValueError: To serve at least one request with the model's max seq len (512), (0.0 GiB KV cache is needed, which is larger than the available KV cache memory (0.0 GiB). Based on the available memory, the estimated maximum model length is 256. Try increasing `gpu_memory_utilization`" + end, classKVCache, "args.max_model_len", "the estimated maximum model length is 256.", "args.max_model_len to 256"},
		"cache for nothing":    {core + "ValueError: To serve at least one request with the models's max seq len (512), (1.0 GiB KV cache is needed. Based on the available memory, the estimated maximum model length is 0." + end, classKVCache, "args.max_model_len", "models's", "not even one token"},
		"cache, older":         {core + "ValueError: To serve at least one request with the models's max seq len (100000), (4.26 GiB KV cache is needed, which is larger than the available KV cache memory (4.25 GiB)." + end, classKVCache, "args.max_model_len", "(4.26 GiB KV cache", "below 100000"},
		"mamba":                {core + "ValueError: max_num_seqs (1024) exceeds available Mamba cache blocks (733)." + end, classKVCache, "args.max_num_seqs", "Mamba", "to 733 or less"},
		"OOM":                  {core + "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 23.43 GiB" + end, classMemory, "args.gpu_memory_utilization", "OutOfMemoryError: CUDA out of memory", "2.00 GiB more"},
		"OOM while loading":    {core + "RuntimeError: Failed to load model - not enough GPU memory. Try lowering --gpu-memory-utilization" + end, classMemory, "args.gpu_memory_utilization", "Failed to load model", "weights do not fit"},
		"bfloat16":             {core + "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your Tesla T4 GPU has compute capability 7.5." + end, classArgument, "args.dtype", "Bfloat16", `"half"`},
		"no GPU":               {core + "RuntimeError: No CUDA GPUs are available" + end, classNoGPU, "gpus", "No CUDA GPUs", "nvidia-smi"},
		"sleep mode":           {config + "Sleep mode is not supported on current platform." + tail, classArgument, "args.enable_sleep_mode", "Sleep mode is not supported on current platform.", "remove"},
		"VLLM_PORT":            {worker + "ValueError: VLLM_PORT 'tcp://10.0.0.1:8000' appears to be a URI. This may be caused by" + end, classArgument, "env.VLLM_PORT", "tcp://", "remove env.VLLM_PORT"},
		"lora":                 {"ValueError: Loading lora a failed: No adapter found for /missing", classMissing, "args.lora_modules", "No adapter found", "no adapter a at /missing"},
		"engine too slow":      {"TimeoutError: Timed out waiting for engine core processes to start. This is often caused by slow weight loading for large models. Waited 25s (configured by VLLM_ENGINE_READY_TIMEOUT_S).", classTimeout, "env.VLLM_ENGINE_READY_TIMEOUT_S", "Timed out waiting", "25 s"},
		"unknown value error":  {config + "Something that nobody has seen" + tail, classArgument, "", "Something that nobody has seen", ""},
		"worker killed":        {"(EngineCore pid=8) ERROR 11-22 12:49:27 [x.py:1] Worker proc VllmWorker-0 died unexpectedly (exit code: -9), shutting down executor." + end, classCrashed, "", "died unexpectedly", "dmesg"},
		"illegal instruction":  {"(EngineCore pid=8) ERROR 11-22 12:49:27 [x.py:1] Worker proc VllmWorker-0 died unexpectedly (exit code: -4), shutting down executor.", classCrashed, "args.dtype", "died unexpectedly", "float32"},
		"NUMA nodes": {core + "EngineCore failed to start.\n" + core + "Traceback (most recent call last):\n" + core + "    raise x\n" + core +
			"AssertionError: Not enough allowed NUMA nodes to bind threads of 2 local CPUWorkers." + end, classEngine, "", "Not enough allowed NUMA nodes to bind threads of 2 local CPUWorkers.", ""},
		"deepest first": {core + "RuntimeError: Worker failed\n" + worker + "WorkerProc hit an exception.\n" + worker + "RuntimeError: Unsupported CPU attention configuration: head_dim=16" + end,
			classEngine, "", "Unsupported CPU attention configuration: head_dim=16", ""},
		"survived errors":    {worker + "Error saving model info cache.\n" + worker + "PermissionError: [Errno 13] Permission denied: '/c'\nZeroDivisionError: division by zero", classExited, "", "ZeroDivisionError: division by zero", ""},
		"settings are quiet": {"(APIServer pid=7) INFO 11-22 12:49:27 [utils.py:1] non-default args: {'trust_remote_code=True': 1}\nsome last words", classExited, "", "some last words", ""},
		"only generic":       {"RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}", classEngine, "", "Engine core initialization failed.", "see the log"},
		"nothing":            {"", classExited, "", "wrote nothing", ""},
	}
	for name, tt := range tests {
		e := Diagnose(strings.Split(tt.log, "\n"), "exit status 1")
		if e.Class != tt.class || e.Field != tt.field || !strings.Contains(e.Cause, tt.cause) || !strings.Contains(e.Hint, tt.hint) || tt.hint == "" && e.Hint != "" {
			t.Errorf("%s: %+v", name, e)
		}
		if strings.ContainsAny(e.Cause, "\r\n") || strings.Contains(e.Cause, "[type=") || e.Status != "exit status 1" {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestDiagnoseKilled(t *testing.T) {
	if e := Diagnose(nil, "signal: killed"); !strings.Contains(e.Hint, "dmesg") {
		t.Errorf("%+v", e)
	}
}

func TestPhases(t *testing.T) {
	for line, want := range map[string]string{
		"(APIServer pid=1) INFO 11-22 12:49:27 [utils.py:1] non-default args: {'model': 'x'}":                                "resolving the configuration",
		"(EngineCore pid=1) INFO 11-22 12:49:27 [core.py:1] Initializing a V1 LLM engine (v0.32.0) with config: x":           "starting the engine",
		"(Worker pid=1) INFO 11-22 12:49:27 [x.py:1] Starting to load model /m...":                                           "loading weights",
		"Loading safetensors checkpoint shards:  75% Completed | 3/4 [00:00<00:00, 319.01it/s]":                              "loading weights 3/4",
		"(Worker pid=1) INFO 11-22 12:49:27 [x.py:1] Model loading took 15.3 GiB memory and 9.1 seconds":                     "profiling",
		"(Worker pid=1) INFO 11-22 12:49:27 [x.py:1] torch.compile takes 20 s in total":                                      "compiling",
		"(Worker pid=1) INFO 11-22 12:49:27 [x.py:1] GPU KV cache size: 4,194 tokens, Maximum concurrency for 512 tokens":    "allocating the KV cache",
		"Capturing CUDA graphs (mixed prefill-decode, PIECEWISE):  40%|████      | 27/67 [00:03<00:04,  8.6it/s]":            "capturing graphs",
		"(APIServer pid=1) INFO 11-22 12:49:27 [launcher.py:1] Starting vLLM server on http://127.0.0.1:8123":                "starting the server",
		"INFO:     127.0.0.1:53974 - \"GET /health HTTP/1.1\" 200 OK":                                                        "",
		"(Worker pid=1) INFO 11-22 12:49:27 [x.py:1] Explicitly set (1.0/10.59) GiB for KV cache on node 0. more to be said": "allocating the KV cache",
	} {
		p, ok := phaseOf(line)
		if p.Phase != want || ok != (want != "") {
			t.Errorf("%q: %+v", line, p)
		}
	}
	if p, _ := phaseOf("Loading safetensors checkpoint shards:  75% Completed | 3/4 [x]"); p.Fraction != 0.75 {
		t.Errorf("%+v", p)
	}
}

func FuzzDiagnose(f *testing.F) {
	f.Add("(Worker pid=9) ERROR 11-22 12:49:27 [x.py:1] ValueError: x\nvllm: error: unrecognized arguments: --x", "exit status 1")
	f.Add("KeyError: 'invalid tool call parser: (chose from {})'", "")
	f.Add("User-specified max_model_len (1) is greater than the derived max_model_len (=9999999999999999999", "x")
	f.Fuzz(func(t *testing.T, log, status string) {
		e := Diagnose(strings.Split(log, "\n"), status)
		if e == nil || e.Cause == "" || e.Class == "" {
			t.Errorf("%+v", e)
		}
		for line := range strings.Lines(log) {
			phaseOf(line)
		}
	})
}
