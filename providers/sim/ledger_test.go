package sim

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// ledger writes a host of two GPUs of 24 GiB.
func ledger(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gpus.json")
	raw, err := json.Marshal(Ledger{GPUs: []LedgerGPU{{"GPU-a", 24 << 30}, {"GPU-b", 24 << 30}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func used(t *testing.T, path, uuid string) int64 {
	t.Helper()
	l, err := ReadLedger(path)
	if err != nil {
		t.Fatal(err)
	}
	return l.Used(uuid)
}

func TestOrphanHoldsTheGPU(t *testing.T) {
	t.Parallel()
	path := ledger(t)
	env := []string{"LOADOUT_SIM_GPU=" + path, "CUDA_VISIBLE_DEVICES=GPU-b"}
	share := 0.5
	s := launch(t, model(t), env, "--gpu-memory-utilization=0.5").ready()
	want := int64(share * (24 << 30))
	if used(t, path, "GPU-a") != 0 || used(t, path, "GPU-b") != want {
		t.Errorf("held: a %d, b %d, want 0 and %d", used(t, path, "GPU-a"), used(t, path, "GPU-b"), want)
	}
	inOrder(t, s.stdout(), "Model loading took ", "GPU KV cache size: ")
	s.signal(syscall.SIGKILL)
	s.wait()
	second := launch(t, model(t), env)
	if st := second.wait(); st.ExitStatus() != 1 {
		t.Errorf("beside an orphan: %v, want 1", st)
	}
	inOrder(t, second.stdout(), "Free memory on device cuda:0 (12.0/24.0 GiB) on startup is less than desired GPU memory utilization (0.92, 22.08 GiB).")
	syscall.Kill(s.pidOf(engineTitle), syscall.SIGKILL)
	eventually(t, "memory free", func() bool { return used(t, path, "GPU-b") == 0 })
}

func TestTwoGPUs(t *testing.T) {
	t.Parallel()
	path := ledger(t)
	s := launch(t, model(t), []string{"LOADOUT_SIM_GPU=" + path, "CUDA_VISIBLE_DEVICES=0,1"}, "-tp", "2").ready()
	if used(t, path, "GPU-a") == 0 || used(t, path, "GPU-b") == 0 {
		t.Error("one of two GPUs is not held")
	}
	if s.pidOf("VLLM::Worker_TP0") == 0 || s.pidOf("VLLM::Worker_TP1") == 0 {
		t.Errorf("processes %v", s.members())
	}
	s.signal(syscall.SIGTERM)
	s.wait()
	eventually(t, "memory free", func() bool { return used(t, path, "GPU-a")+used(t, path, "GPU-b") == 0 })
}

func TestLedgerErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gpus.json")
	if l, err := ReadLedger(path); err != nil || len(l.GPUs) != 0 {
		t.Errorf("missing file: %v %v", l, err)
	}
	if err := os.WriteFile(path, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadLedger(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("broken file: %v, want its name", err)
	}
}
