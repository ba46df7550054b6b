package vllm

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// Classes of a failed start.
const (
	classMemory    = "out_of_memory"
	classKVCache   = "kv_cache"
	classPort      = "port"
	classArgument  = "argument"
	classMissing   = "missing_file"
	classBadFile   = "bad_file"
	classRemote    = "remote_code"
	classModel     = "unsupported_model"
	classTokenizer = "tokenizer"
	classNoGPU     = "no_gpu"
	classCrashed   = "crashed"
	classEngine    = "engine"
	classExited    = "exited"
	classTimeout   = "timeout"
	classHung      = "hung"
	classWrong     = "wrong_model"
	classGenerate  = "generation"
	classCommand   = "command"
)

// rule recognizes one failure. hint may use $1 … for the groups of the pattern;
// advise, when set, makes the hint from them instead.
type rule struct {
	pattern *regexp.Regexp
	class   string
	field   string
	hint    string
	advise  func(m []string) string
}

func when(pattern, class, field, hint string) rule {
	return rule{pattern: regexp.MustCompile(pattern), class: class, field: field, hint: hint}
}

func (r rule) with(advise func(m []string) string) rule {
	r.advise = advise
	return r
}

// rules are tried in order on each line. The texts are those of vLLM 0.32.0 and,
// where they differ, of releases back to 0.19.
var rules = []rule{
	when(`estimated maximum model length is (\d+)`, classKVCache, "args.max_model_len", "").with(adviseLength),
	when(`To serve at least one request with the model(?:s)?'s max seq len \((\d+)\)`, classKVCache, "args.max_model_len",
		"set args.max_model_len below $1, or raise args.gpu_memory_utilization"),
	when(`No available memory for the cache blocks`, classKVCache, "args.gpu_memory_utilization",
		"nothing is left for the KV cache: raise args.gpu_memory_utilization, or take smaller weights"),
	when(`max_num_seqs \((\d+)\) exceeds available Mamba cache blocks \((\d+)\)`, classKVCache, "args.max_num_seqs",
		"set args.max_num_seqs to $2 or less"),
	when(`(?:Free memory on device \S+|Available memory on node \S+) \(([\d.]+)/([\d.]+) GiB\) on startup is less than desired [GC]PU memory utilization \(([\d.]+), ([\d.]+) GiB\)`,
		classMemory, "args.gpu_memory_utilization", "").with(adviseUtilization),
	when(`Available memory on node \S+ \(([\d.]+)/([\d.]+) GiB\) on kv cache allocation is less than requested memory for kv \(([\d.]+) GiB\)`,
		classMemory, "env.VLLM_CPU_KVCACHE_SPACE", "$3 GiB are asked for and $1 GiB are free: lower env.VLLM_CPU_KVCACHE_SPACE or args.kv_cache_memory_bytes"),
	when(`Tried to allocate ([\d.]+ [KMG]iB)`, classMemory, "args.gpu_memory_utilization",
		"the weights and the work on one batch do not fit ($1 more were needed): stop what else uses the GPU, take smaller weights, or lower args.max_num_seqs and args.max_model_len"),
	when(`not enough GPU memory|CUDA out of memory|OutOfMemoryError`, classMemory, "args.gpu_memory_utilization",
		"the weights do not fit: stop what else uses the GPU, or take smaller weights"),
	when(`User-specified max_model_len \((\d+)\) is greater than the derived max_model_len \([^=)]*=(\d+)`, classArgument, "args.max_model_len",
		`set args.max_model_len to $2 or less, or env.VLLM_ALLOW_LONG_MAX_MODEL_LEN to "1"`),
	when(`Address already in use`, classPort, "port", "stop what uses the port, or set another port"),
	when(`Cannot assign requested address`, classArgument, "host", "the host is no address of this machine"),
	when(`bind\(\): port must be`, classArgument, "port", "a port is a number from 1 to 65535"),
	when(`attention heads \((\d+)\) must be divisible by tensor parallel size \((\d+)\)`, classArgument, "args.tensor_parallel_size", "").with(adviseParallel),
	when(`trust_remote_code=True|contains custom code which must be executed`, classRemote, "args.trust_remote_code",
		"the model brings its own code: read it, then set args.trust_remote_code to true"),
	when("model type .(\\S+?). but Transformers does not recognize", classModel, "source",
		"this vLLM does not know the architecture $1: a later release may"),
	when(`Model architectures .* are not supported`, classModel, "source", "this vLLM does not know the architecture: a later release may"),
	when(`Cannot find the config file for (\w+)`, classArgument, "args.quantization",
		"the weights are not quantized with $1: remove args.quantization, vLLM reads the method from the model"),
	when(`Unknown quantization method: (\w+)`, classArgument, "args.quantization", "").with(adviseQuantization),
	when(`Quantization method specified in the model config \((\S+?)\) does not match`, classArgument, "args.quantization",
		"the weights are quantized with $1: remove args.quantization"),
	when("Load format .(\\S+?). is not supported", classArgument, "args.load_format", "remove args.load_format, or set a format that vLLM knows"),
	when(`(?i)bfloat16.*compute capability`, classArgument, "args.dtype", `this GPU is too old for bfloat16: set args.dtype to "half"`),
	when(`--enable-auto-tool-choice requires --tool-call-parser`, classArgument, "args.tool_call_parser", "set args.tool_call_parser"),
	when(`invalid tool call parser: (\S+) \(chose from \{(.*)\}\)`, classArgument, "args.tool_call_parser", "").with(adviseName),
	when(`Reasoning parser '([^']+)' not found\. Available parsers: (.*)`, classArgument, "args.reasoning_parser", "").with(adviseName),
	when(`invalid reasoning parser: (\S+)`, classArgument, "args.reasoning_parser", "set a reasoning parser that vLLM knows"),
	when(`Sleep mode is not supported`, classArgument, "args.enable_sleep_mode", "remove args.enable_sleep_mode"),
	when(`VLLM_PORT '.*' appears to be a URI`, classArgument, "env.VLLM_PORT", "remove env.VLLM_PORT"),
	when(`Unknown vLLM environment variable detected: (\w+)`, classArgument, "env", "remove env.$1, or args.fail_on_environ_validation"),
	when(`should be provided as the first positional argument`, classArgument, "command", `the command must end where the model follows: ["vllm", "serve"]`),
	when(`chat template .*doesn't exist`, classMissing, "args.chat_template", "set chat_template to a file that exists"),
	when(`Loading lora (\S+) failed: No adapter found for (.*)`, classMissing, "args.lora_modules", "there is no adapter $1 at $2"),
	when(`Repo id must be in the form`, classMissing, "source", "the directory does not exist"),
	when(`Invalid repository ID or local directory specified: '([^']*)'`, classMissing, "source", "$1 has no config.json that vLLM can read"),
	when(`LocalEntryNotFoundError|Cannot find an appropriate cached snapshot`, classMissing, "source",
		"the model is not in the Hugging Face cache and downloads are turned off (HF_HUB_OFFLINE): download it first"),
	when(`It looks like the config file at '([^']+)' is not a valid JSON`, classBadFile, "source", "repair or download $1 again"),
	when(`Couldn't instantiate the backend tokenizer`, classTokenizer, "source", "the model has no tokenizer files: download them, or set args.tokenizer"),
	when(`Cannot find any model weights with`, classMissing, "source", "the directory has no weights: download the model again"),
	when(`SafetensorError`, classBadFile, "source", "a weights file is damaged or cut short: download the model again"),
	when(`No such file or directory: '([^']+)'`, classMissing, "", "$1 does not exist"),
	when(`FileNotFoundError: \[Errno 2\] No such file or directory$`, classMissing, "args.ssl_certfile", "vLLM does not name the file; it is one of args.ssl_keyfile and args.ssl_certfile"),
	when(`No CUDA GPUs are available|Failed to infer device type`, classNoGPU, "gpus", "vLLM sees no GPU: check nvidia-smi and the gpus of the serve block"),
	when(`Timed out waiting for engine core processes to start.*Waited (\d+)s`, classTimeout, "env.VLLM_ENGINE_READY_TIMEOUT_S",
		"the engine was not up in $1 s: raise env.VLLM_ENGINE_READY_TIMEOUT_S"),
}

// deaths are lines that tell that a process died, not why. They count only when
// nothing says more.
var deaths = []rule{
	when(`died unexpectedly \(exit code: -9\)`, classCrashed, "", "it was killed: perhaps the machine ran out of memory (see dmesg)"),
	when(`died unexpectedly \(exit code: -4\)`, classCrashed, "args.dtype", `an instruction that this CPU does not have: try args.dtype = "float32"`),
	when(`died unexpectedly`, classCrashed, "", "see the log"),
	when(`Engine core initialization failed`, classEngine, "", "see the log"),
}

func adviseLength(m []string) string {
	if m[1] == "0" {
		return "not even one token fits: raise args.gpu_memory_utilization, or take smaller weights"
	}
	return fmt.Sprintf("set args.max_model_len to %s or less, or raise args.gpu_memory_utilization", m[1])
}

// adviseUtilization works out the share that is free, rounded down to percents.
func adviseUtilization(m []string) string {
	free, err1 := strconv.ParseFloat(m[1], 64)
	total, err2 := strconv.ParseFloat(m[2], 64)
	if err1 != nil || err2 != nil || total <= 0 {
		return "lower args.gpu_memory_utilization"
	}
	return fmt.Sprintf("%s of %s GiB are free and %s GiB are asked for: set args.gpu_memory_utilization to %.2f or less, or stop what else uses the memory",
		m[1], m[2], m[4], float64(int(free/total*100))/100)
}

func adviseParallel(m []string) string {
	heads, err := strconv.Atoi(m[1])
	if err != nil {
		return "lower args.tensor_parallel_size"
	}
	var fit []string
	for n := 1; n <= heads && n <= 16; n++ {
		if heads%n == 0 {
			fit = append(fit, strconv.Itoa(n))
		}
	}
	return fmt.Sprintf("the model has %d heads: set args.tensor_parallel_size to one of %s", heads, strings.Join(fit, ", "))
}

func adviseQuantization(m []string) string {
	return fmt.Sprintf("vLLM knows no method %q: remove args.quantization, vLLM reads the method from the model", m[1])
}

// adviseName proposes the nearest of the names that vLLM lists.
func adviseName(m []string) string {
	known := strings.FieldsFunc(m[2], func(r rune) bool { return strings.ContainsRune(` ,'"`, r) })
	if s := engine.Nearest(m[1], known); s != "" {
		return fmt.Sprintf("did you mean %q?", s)
	}
	return clip("vLLM knows "+strings.Join(known, ", "), 300)
}
