package main

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestE2EVLLM tells the main job with a real vLLM (LOADOUT_E2E_VLLM names its
// binary; make e2e-vllm installs one): the same script as with the stand-in.
func TestE2EVLLM(t *testing.T) {
	binary := os.Getenv("LOADOUT_E2E_VLLM")
	if binary == "" {
		t.Skip("SKIPPED: no real vLLM (LOADOUT_E2E_VLLM is not set; make e2e-vllm installs one)")
	}
	p := params("", func(env *testscript.Env) error {
		command, err := json.Marshal([]string{binary, "serve"})
		if err != nil {
			return err
		}
		env.Setenv("LOADOUT_VAR_vllm", string(command))
		// The CPU build: one GiB of KV cache, no downloads, no telemetry; float32
		// because bfloat16 now and then kills its worker on virtual machines.
		env.Setenv("LOADOUT_VAR_env", `{ VLLM_CPU_KVCACHE_SPACE = "1", HF_HUB_OFFLINE = "1", VLLM_NO_USAGE_STATS = "1" }`)
		env.Setenv("LOADOUT_VAR_args", `{ dtype = "float32" }`)
		return nil
	})
	p.Files = []string{"testdata/script/main_job.txtar"}
	testscript.Run(t, p)
}

// TestE2EOllama tells the stories in testdata/ollama with a real Ollama
// (LOADOUT_E2E_OLLAMA names its binary; make e2e-ollama builds one).
func TestE2EOllama(t *testing.T) {
	binary := os.Getenv("LOADOUT_E2E_OLLAMA")
	if binary == "" {
		t.Skip("SKIPPED: no real Ollama (LOADOUT_E2E_OLLAMA is not set; make e2e-ollama builds one)")
	}
	testscript.Run(t, ollamaParams(realOllama(t, binary)))
}
