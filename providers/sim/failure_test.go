package sim

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestFailuresAtStart: what is wrong with flags, model or environment, and the
// line by which a manager finds the reason.
func TestFailuresAtStart(t *testing.T) {
	const engineFailed = "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {'EngineCore': 1}\n"
	tests := []struct {
		name           string
		spoil          func(t *testing.T, dir string)
		env, flags     string
		stdout, stderr string
	}{
		{name: "tools without parser", flags: "--enable-auto-tool-choice", stderr: "TypeError: Error: --enable-auto-tool-choice requires --tool-call-parser\n"},
		{name: "unknown tool parser", flags: "--enable-auto-tool-choice --tool-call-parser nope", stderr: "KeyError: 'invalid tool call parser: nope (chose from { apertus,"},
		{name: "unknown reasoning parser", flags: "--reasoning-parser nope", stderr: `KeyError: "Reasoning parser 'nope' not found. Available parsers: cohere_command3,`},
		{name: "chat template", flags: "--chat-template /missing.jinja", stderr: "vllm.exceptions.VLLMValidationError: The supplied chat template string (/missing.jinja) appears path-like, but doesn't exist!"},
		{name: "config file", flags: "--config /missing.yaml", stderr: "FileNotFoundError: [Errno 2] No such file or directory: '/missing.yaml'\n"},
		{name: "unix socket", flags: "--uds /tmp/x", stderr: "NotImplementedError: the stand-in for vLLM has no --uds\n"},
		{name: "environment", env: "VLLM_BOGUS_THING=1", flags: "--fail-on-environ-validation", stderr: "ValueError: Unknown vLLM environment variable detected: VLLM_BOGUS_THING\n"},
		{name: "heads", flags: "--tensor-parallel-size 3", stderr: "  Value error, Total number of attention heads (2) must be divisible by tensor parallel size (3). [type=value_error, "},
		{name: "context", flags: "--max-model-len 5000", stderr: "  Value error, User-specified max_model_len (5000) is greater than the derived max_model_len (max_position_embeddings=2048.0 or model_max_length=None in model's config.json)."},
		{name: "quantization", flags: "--quantization awq", stderr: "  Value error, Cannot find the config file for awq [type="},
		{name: "unknown quantization", flags: "--quantization nope", stderr: "  Value error, Unknown quantization method: nope. Must be one of ['awq', "},
		{name: "port", flags: "--port 80000", stderr: "OverflowError: bind(): port must be 0-65535.\n"},
		{name: "host", flags: "--host 192.0.2.1", stderr: "OSError: [Errno 99] Cannot assign requested address\n"},
		{name: "no directory", spoil: func(t *testing.T, dir string) { os.RemoveAll(dir) }, stderr: "huggingface_hub.errors.HFValidationError: Repo id must be in the form 'repo_name' or 'namespace/repo_name': '/"},
		{name: "no config", spoil: remove("config.json"), stderr: "  Value error, Invalid repository ID or local directory specified: '/"},
		{name: "broken config", spoil: overwrite("config.json", "{"), stderr: "OSError: It looks like the config file at '/"},
		{name: "custom code", spoil: overwrite("config.json", `{"auto_map":{"AutoConfig":"x.Y"}}`), stderr: "Please pass the argument `trust_remote_code=True` to allow custom code to be run."},
		{name: "no tokenizer", spoil: remove("tokenizer.json"), stderr: "ValueError: Couldn't instantiate the backend tokenizer from one of: \n"},
		{name: "no weights", spoil: remove("model.safetensors"), stdout: ") ERROR", stderr: engineFailed},
		{name: "cut weights", spoil: cut(1000), stdout: "safetensors._safetensors_rust.SafetensorError: Error while deserializing header: incomplete metadata, file not fully covered\n", stderr: engineFailed},
		{name: "cut header", spoil: func(t *testing.T, dir string) { truncate(t, dir, 100) }, stdout: "SafetensorError: Error while deserializing header: invalid header length\n", stderr: engineFailed},
		{name: "huge header", spoil: hugeHeader, stdout: "SafetensorError: Error while deserializing header: header too large\n", stderr: engineFailed},
		{name: "VLLM_PORT", env: "VLLM_PORT=tcp://10.0.0.1:8000", stdout: "ValueError: VLLM_PORT 'tcp://10.0.0.1:8000' appears to be a URI.", stderr: engineFailed},
		{name: "load format", flags: "--load-format nope", stdout: "ValueError: Load format `nope` is not supported\n", stderr: engineFailed},
		{name: "no cache", flags: "--kv-cache-memory-bytes 1000", stdout: "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`", stderr: engineFailed},
		{name: "small cache", flags: "--kv-cache-memory-bytes 200000 --dtype float32 --block-size 128 --max-model-len 512",
			stdout: "(0.0 GiB KV cache is needed, which is larger than the available KV cache memory (0.0 GiB). Based on the available memory, the estimated maximum model length is 256. ", stderr: engineFailed},
		{name: "adapter", flags: "--enable-lora --lora-modules a=/missing", stderr: "ValueError: Loading lora a failed: No adapter found for /missing\n"},
		{name: "certificate", flags: "--ssl-keyfile /missing --ssl-certfile /missing", stderr: "FileNotFoundError: [Errno 2] No such file or directory\n"},
		{name: "unknown failure", env: "LOADOUT_SIM_FAIL=nope", stderr: `loadout sim: LOADOUT_SIM_FAIL: unknown failure "nope"`},
		{name: "die-loading", env: "LOADOUT_SIM_FAIL=die-loading", stdout: "Exception: WorkerProc initialization failed due to an exception in a background process.", stderr: engineFailed},
		{name: "oom", env: "LOADOUT_SIM_FAIL=oom", stdout: "torch.OutOfMemoryError: Failed to load model - not enough GPU memory.", stderr: engineFailed},
		{name: "free-memory", env: "LOADOUT_SIM_FAIL=free-memory", stdout: "ValueError: Free memory on device cuda:0 (3.25/24.0 GiB) on startup is less than desired GPU memory utilization (0.92, 22.08 GiB). Decrease GPU memory utilization or ", stderr: engineFailed},
		{name: "kv-cache", env: "LOADOUT_SIM_FAIL=kv-cache=777", stdout: "the model's max seq len (2048), (", stderr: engineFailed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := model(t)
			if test.spoil != nil {
				test.spoil(t, dir)
			}
			s := launch(t, dir, strings.Fields(test.env), strings.Fields(test.flags)...)
			if st := s.wait(); !st.Exited() || st.ExitStatus() != 1 {
				t.Errorf("status %v, want 1", st)
			}
			inOrder(t, s.stdout(), test.stdout)
			inOrder(t, s.stderr(), test.stderr)
			eventually(t, "nothing left", func() bool { return len(s.members()) == 0 })
		})
	}
}

func TestLongContextWhenAllowed(t *testing.T) {
	t.Parallel()
	s := launch(t, model(t), []string{"VLLM_ALLOW_LONG_MAX_MODEL_LEN=1", "VLLM_BOGUS=1"}, "--max-model-len=5000").ready()
	inOrder(t, s.stdout(), "WARNING", "Unknown vLLM environment variable detected: VLLM_BOGUS", "Using max model len 5000")
}

func TestFailuresAfterReady(t *testing.T) {
	t.Run("exit0-after-ready", func(t *testing.T) {
		t.Parallel()
		s := launch(t, model(t), []string{"LOADOUT_SIM_FAIL=exit0-after-ready"})
		if st := s.wait(); !st.Exited() || st.ExitStatus() != 0 {
			t.Errorf("status %v, want 0", st)
		}
		inOrder(t, s.stderr(), "Application startup complete.")
	})
	t.Run("crash-after", func(t *testing.T) {
		t.Parallel()
		s := launch(t, model(t), []string{"LOADOUT_SIM_FAIL=crash-after=150ms"}).ready()
		eventually(t, "503", func() bool { return s.status("/health") == 503 })
		if st := s.wait(); !st.Exited() || st.ExitStatus() != 0 {
			t.Errorf("status %v, want 0", st)
		}
	})
	t.Run("no-token", func(t *testing.T) {
		t.Parallel()
		s := launch(t, model(t), []string{"LOADOUT_SIM_FAIL=no-token"}).ready()
		code, body := s.post("/v1/chat/completions", chatTwo)
		want := `{"error":{"message":"EngineCore encountered an issue. See stack trace (above) for the root cause.","type":"InternalServerError","param":null,"code":500}}`
		if code != 500 || body != want {
			t.Errorf("%d %s", code, body)
		}
		if st := s.wait(); !st.Exited() || st.ExitStatus() != 0 {
			t.Errorf("status %v, want 0", st)
		}
		inOrder(t, s.stdout(), "WorkerProc hit an exception.", "EngineCore encountered a fatal error.")
	})
	t.Run("hang-engine", func(t *testing.T) {
		t.Parallel()
		s := launch(t, model(t), []string{"LOADOUT_SIM_FAIL=hang-engine"}).ready()
		if code := s.patientPost(200 * time.Millisecond); code != 0 {
			t.Errorf("a hung engine answered %d", code)
		}
		for _, path := range []string{"/health", "/v1/models", "/metrics"} {
			if got := s.status(path); got != 200 {
				t.Errorf("%s: %d, want 200", path, got)
			}
		}
		s.signal(syscall.SIGTERM)
		if st := s.wait(); st.ExitStatus() != 0 {
			t.Errorf("status %v, want 0", st)
		}
	})
	t.Run("hang-on-term", func(t *testing.T) {
		t.Parallel()
		s := launch(t, model(t), []string{"LOADOUT_SIM_FAIL=hang-on-term"}).ready()
		s.signal(syscall.SIGTERM)
		eventually(t, "engine gone", func() bool { return len(s.members()) == 0 })
		s.signal(syscall.SIGTERM)
		time.Sleep(150 * time.Millisecond)
		if s.ended() {
			t.Error("it ended")
		}
		inOrder(t, s.stderr(), "INFO:     Waiting for connections to close. (CTRL+C to force quit)")
	})
}

func TestSlow(t *testing.T) {
	t.Parallel()
	s := launch(t, model(t), []string{"LOADOUT_SIM_FAIL=slow", "LOADOUT_SIM_LOAD=50ms"})
	began := time.Now()
	s.ready()
	if took := time.Since(began); took < 350*time.Millisecond {
		t.Errorf("ready after %v, want about 500ms", took)
	}
}

func remove(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func overwrite(name, text string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func cut(bytes int64) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		info, err := os.Stat(filepath.Join(dir, "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		truncate(t, dir, info.Size()-bytes)
	}
}

func truncate(t *testing.T, dir string, size int64) {
	t.Helper()
	if err := os.Truncate(filepath.Join(dir, "model.safetensors"), size); err != nil {
		t.Fatal(err)
	}
}

func hugeHeader(t *testing.T, dir string) {
	overwrite("model.safetensors", string(binary.LittleEndian.AppendUint64(nil, 1<<40))+"{}")(t, dir)
}
