package sim

import (
	"bytes"
	"strings"
	"testing"
)

// Messages are those of vLLM 0.32.0, taken from runs of its parser.
func TestCommandLineErrors(t *testing.T) {
	outer := outerUsage + "\nvllm: error: "
	inner := "usage: vllm serve [model_tag] [options]\nvllm serve: error: "
	tests := []struct{ args, want string }{
		{"m --foo-bar 1", outer + "unrecognized arguments: --foo-bar 1"},
		{"m --swap-space 4", outer + "unrecognized arguments: --swap-space 4"},
		{"m --task generate", outer + "unrecognized arguments: --task generate" + taskHint},
		{"m n", outer + "unrecognized arguments: n"},
		{"m --enforce-eager true", outer + "unrecognized arguments: true"},
		{"m --no-headless", outer + "unrecognized arguments: --no-headless"},
		{"m -tp2", outer + "unrecognized arguments: -tp2"},
		{"m -- x", outer + "unrecognized arguments: x"},
		{"m -z5 --bar=3 extra", outer + "unrecognized arguments: -z5 --bar=3 extra"},
		{"m --dtype int3", inner + "argument --dtype: invalid choice: 'int3' (choose from 'auto', 'bfloat16', 'float', 'float16', 'float32', 'half')"},
		{"m --max-l 5", inner + "ambiguous option: --max-l could match --max-log-len, --max-logprobs, --max-loras, --max-lora-rank, --max-lora-cls-labels"},
		{"m --device cpu", inner + "ambiguous option: --device could match --device-ids, --device-memory-utilization"},
		{"m --port abc", inner + "argument --port: invalid int value: 'abc'"},
		{"m --port", inner + "argument --port: expected one argument"},
		{"m --served-model-name", inner + "argument --served-model-name: expected at least one argument"},
		{"m --limit-mm-per-prompt image=4", inner + "argument --limit-mm-per-prompt: Value image=4 cannot be converted to <function loads at 0x7f0000000000>."},
		{"m --enforce-eager=true", inner + "argument --enforce-eager/--no-enforce-eager: ignored explicit argument 'true'"},
		{"m --max-model-len abc", inner + "argument --max-model-len: invalid human_readable_int_or_auto value: 'abc'"},
		{"m --max-log-len abc", inner + "argument --max-log-len: Value abc cannot be converted to <class 'int'>."},
		{"m --gpu-memory-utilization abc", inner + "argument --gpu-memory-utilization/--device-memory-utilization: invalid float value: 'abc'"},
		{"m --max-num-batched-tokens 1.5", inner + "argument --max-num-batched-tokens: invalid human_readable_int value: '1.5'"},
		{"m --compilation-config 3", inner + "argument --compilation-config/-cc: 1 validation error for CompilationConfig\n  Input should be an object [type=dataclass_type, input_value=3, input_type=int]"},
		{"m --safetensors-load-strategy nope", inner + "argument --safetensors-load-strategy: invalid choice: 'nope' (choose from 'eager', 'lazy', 'prefetch', 'torchao', None)"},
		{"m --api-key k m2 --lora-modules a", inner + "Invalid JSON format for --lora-modules: a"},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			var out, stderr bytes.Buffer
			code := Main(append([]string{"vllm", "serve"}, strings.Fields(test.args)...), &out, &stderr)
			if code != 2 || out.Len() > 0 || stderr.String() != test.want+"\n" {
				t.Errorf("status %d, stdout %q, stderr\n%q, want 2 and\n%q", code, &out, &stderr, test.want+"\n")
			}
		})
	}
}

func TestAcceptedCommandLines(t *testing.T) {
	tests := []struct {
		args, dest string
		want       any
	}{
		{"m --max_model_len=5", "max_model_len", int64(5)},
		{"m --max-model-l 512", "max_model_len", int64(512)},
		{"m --max-model-len 1k", "max_model_len", int64(1000)},
		{"m --max-model-len 1K", "max_model_len", int64(1024)},
		{"m --max-model-len 25.6k", "max_model_len", int64(25600)},
		{"m --max-model-len auto", "max_model_len", int64(-1)},
		{"m --max-model-len -1", "max_model_len", int64(-1)},
		{"m --kv-cache-memory-bytes 2g", "kv_cache_memory_bytes", int64(2_000_000_000)},
		{"m -tp 2", "tensor_parallel_size", int64(2)},
		{"m -tp=2", "tensor_parallel_size", int64(2)},
		{"m --tensor-parallel 2", "tensor_parallel_size", int64(2)},
		{"m -O3", "optimization_level", "3"},
		{"m -O 2", "optimization_level", "2"},
		{"m --quantization None", "quantization", nil},
		{"m --enforce-eager --no-enforce-eager", "enforce_eager", false},
		{"m --no-enforce-eager --enforce-eager", "enforce_eager", true},
		{"m --port -5", "port", int64(-5)},
		{"--port 1 m", "port", int64(1)},
		{"--model m --port 4", "port", int64(4)},
		{"m --gpu-memory-utilization 7", "gpu_memory_utilization", 7.0},
		{"m --hf-overrides abc", "hf_overrides", "abc"},
		{"m --limit-mm-per-prompt.image 2 --limit-mm-per-prompt.video=1", "limit_mm_per_prompt", "{'image': 2, 'video': 1}"},
		{"m --served-model-name a b --port 3", "served_model_name", "['a', 'b']"},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			p, err := parseServe(strings.Fields(test.args))
			if err != nil {
				t.Fatal(err)
			}
			got := p.values[test.dest]
			if text, ok := test.want.(string); ok && python(got) != text && got != test.want {
				t.Errorf("%s is %s, want %s", test.dest, python(got), text)
			} else if !ok && got != test.want {
				t.Errorf("%s is %v, want %v", test.dest, got, test.want)
			}
			if p.model != "m" {
				t.Errorf("model %q, want m", p.model)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	for args, want := range map[string]string{
		"m --seed 1 --seed=2 --enforce-eager --enforce_eager": "Found duplicate keys --enforce-eager, --seed",
		"m --max-model-len 1 --max-model-l 2":                 "",
		"--model m":                                           modelHint,
	} {
		p, err := parseServe(strings.Fields(args))
		if err != nil || strings.Join(p.warnings, "\n") != want {
			t.Errorf("%s: %q, %v, want %q", args, p.warnings, err, want)
		}
	}
}

func TestNonDefaultArguments(t *testing.T) {
	p, err := parseServe(strings.Fields("m --port 8000 --seed 3 --enforce-eager --served-model-name a b --api-key geheim --gpu-memory-utilization 0.5"))
	if err != nil {
		t.Fatal(err)
	}
	want := "{'model_tag': 'm', 'api_key': '***', 'model': 'm', 'seed': 3, 'enforce_eager': True, 'served_model_name': ['a', 'b'], 'gpu_memory_utilization': 0.5}"
	if got := p.nonDefault(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestOuterCommandLine(t *testing.T) {
	for _, test := range []struct {
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{[]string{"vllm", "--version"}, 0, "0.32.0\n", ""},
		{[]string{"vllm", "nope"}, 2, "", "vllm: error: argument subparser: invalid choice: 'nope' (choose from 'chat', 'complete', 'serve', "},
		{[]string{"--help"}, 0, "It is not an inference\nengine", ""},
		{[]string{"vllm", "serve", "--help"}, 0, "LOADOUT_SIM_FAIL", ""},
		{nil, 2, "", "usage: loadout sim vllm serve MODEL [flags]"},
		{[]string{"weights"}, 2, "", "weights DIR"},
	} {
		var out, err bytes.Buffer
		code := Main(test.args, &out, &err)
		if code != test.code || !strings.Contains(out.String(), test.stdout) || !strings.Contains(err.String(), test.stderr) {
			t.Errorf("%q: %d\n%s\n%s", test.args, code, &out, &err)
		}
	}
}
