package sim

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const chatTwo = `{"model":"tiny","messages":[{"role":"user","content":"the quick"}],"max_tokens":2,"temperature":0}`

func TestLifeOfAServer(t *testing.T) {
	t.Parallel()
	s := launch(t, model(t), nil)
	if got := s.status("/health"); got != 0 {
		t.Errorf("/health while loading: %d, want refused", got)
	}
	s.ready()
	if code, body := s.post("/v1/chat/completions", chatTwo); code != 200 || !strings.Contains(body, `"content":" the quick"`) {
		t.Errorf("chat: %d %s", code, body)
	}
	titles := slices.Sorted(maps.Values(s.members()))
	if want := []string{"VLLM::EngineCore", "VLLM::Worker"}; !slices.Equal(titles, want) {
		t.Errorf("children %q, want %q", titles, want)
	}
	for pid := range s.members() {
		if environ := contents(fmt.Sprintf("/proc/%d/environ", pid)); environ != "" {
			t.Errorf("environment of %d: %q, want none", pid, environ)
		}
	}
	s.signal(syscall.SIGTERM)
	if st := s.wait(); !st.Exited() || st.ExitStatus() != 0 {
		t.Errorf("status after TERM: %v", st)
	}
	eventually(t, "children gone", func() bool { return len(s.members()) == 0 })
	checkMilestones(t, s)
}

func checkMilestones(t *testing.T, s *server) {
	t.Helper()
	inOrder(t, s.stdout(), "non-default args: {'model_tag': ", "Resolved architecture: LlamaForCausalLM", "Using max model len 2048",
		") INFO ", "[core.py:133] Initializing a V1 LLM engine (v0.32.0) with config: model='", "Starting to load model ", "Loading weights took ",
		"CPU KV cache size: ", "Maximum concurrency for 2,048 tokens per request: ", "init engine (profile, create kv cache, warmup model) took ",
		"Supported tasks: ['generate']", "Starting vLLM server on http://127.0.0.1:", "Available routes are:", "Route: /health, Methods: GET",
		`"POST /v1/chat/completions HTTP/1.1" 200 OK`, "[shutdown] API server: shutdown triggered", "shutting down FastAPI HTTP server")
	inOrder(t, s.stderr(), "\rLoading safetensors checkpoint shards:   0% Completed | 0/1 [", "100% Completed | 1/1 [",
		"INFO:     Started server process [", "INFO:     Application startup complete.", "INFO:     Shutting down", "INFO:     Application shutdown complete.")
}

// inOrder says which text is missing after the ones before it.
func inOrder(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		_, after, ok := strings.Cut(text, p)
		if !ok {
			t.Errorf("%q is missing, or not in its place, in:\n%s", p, text)
			return
		}
		text = after
	}
}

func TestKilledLeaderLeavesTheEngine(t *testing.T) {
	t.Parallel()
	s := launch(t, model(t), nil).ready()
	s.signal(syscall.SIGKILL)
	s.wait()
	time.Sleep(100 * time.Millisecond)
	if n := len(s.members()); n != 2 {
		t.Fatalf("%d processes are left of the session, want 2", n)
	}
	again := launchOn(t, s.port, model(t), nil).ready() // the port is free at once
	again.signal(syscall.SIGTERM)
	syscall.Kill(s.pidOf(engineTitle), syscall.SIGTERM)
	eventually(t, "orphans gone after a TERM to the engine", func() bool { return len(s.members()) == 0 })
}

func TestKilledOrphanEngineTakesTheWorkerAlong(t *testing.T) {
	t.Parallel()
	s := launch(t, model(t), nil).ready()
	s.signal(syscall.SIGKILL)
	s.wait()
	syscall.Kill(s.pidOf(engineTitle), syscall.SIGKILL)
	eventually(t, "worker gone", func() bool { return len(s.members()) == 0 })
}

func TestTermWhileLoadingIsSwallowed(t *testing.T) {
	t.Parallel()
	s := launch(t, model(t), []string{"LOADOUT_SIM_LOAD=1s"})
	eventually(t, "worker started", func() bool { return s.pidOf(workerTitle) != 0 })
	s.signal(syscall.SIGTERM)
	s.ready()
	s.signal(syscall.SIGTERM)
	if st := s.wait(); st.ExitStatus() != 0 {
		t.Errorf("status %v, want 0", st)
	}
}

func TestSecondTermWhileLoadingEndsByInterrupt(t *testing.T) {
	t.Parallel()
	s := launch(t, model(t), []string{"LOADOUT_SIM_FAIL=never-ready"})
	eventually(t, "worker started", func() bool { return s.pidOf(workerTitle) != 0 })
	s.signal(syscall.SIGTERM)
	time.Sleep(50 * time.Millisecond)
	if s.ended() {
		t.Fatal("the first TERM ended it")
	}
	s.signal(syscall.SIGTERM)
	if st := s.wait(); st.Signal() != syscall.SIGINT {
		t.Errorf("status %v, want killed by SIGINT", st)
	}
	eventually(t, "children gone", func() bool { return len(s.members()) == 0 })
}

func TestTermDuringHandshakeIsADeadlockWithALimit(t *testing.T) {
	t.Parallel()
	s := launch(t, model(t), []string{"LOADOUT_SIM_LOAD=4s", "VLLM_ENGINE_READY_TIMEOUT_S=2"})
	eventually(t, "engine started", func() bool { return s.pidOf(engineTitle) != 0 })
	s.signal(syscall.SIGTERM)
	if st := s.wait(); st.ExitStatus() != 1 {
		t.Errorf("status %v, want 1", st)
	}
	inOrder(t, s.stderr(), "TimeoutError: Timed out waiting for engine core processes to start.", "Waited 2s")
}

func TestTermToTheGroupDuringHandshake(t *testing.T) {
	t.Parallel()
	s := launch(t, model(t), []string{"LOADOUT_SIM_LOAD=4s"})
	eventually(t, "engine started", func() bool { return s.pidOf(engineTitle) != 0 })
	syscall.Kill(-s.cmd.Process.Pid, syscall.SIGTERM)
	eventually(t, "engine gone", func() bool { return len(s.members()) == 0 })
	time.Sleep(200 * time.Millisecond)
	if s.ended() {
		t.Fatal("the leader ended, want it to wait for the engine")
	}
	s.signal(syscall.SIGTERM)
	if st := s.wait(); st.Signal() != syscall.SIGINT {
		t.Errorf("status %v, want killed by SIGINT", st)
	}
}

func TestInterruptWhileLoadingIsKeptUntilTheEnd(t *testing.T) {
	t.Parallel()
	s := launch(t, model(t), []string{"LOADOUT_SIM_LOAD=1s"})
	eventually(t, "worker started", func() bool { return s.pidOf(workerTitle) != 0 })
	s.signal(syscall.SIGINT)
	if st := s.wait(); st.Signal() != syscall.SIGINT {
		t.Errorf("status %v, want killed by SIGINT", st)
	}
	inOrder(t, s.stdout(), "init engine (profile, create kv cache, warmup model) took ")
}

func TestTermBeforeTheEngine(t *testing.T) {
	t.Parallel()
	s := launch(t, model(t), []string{"LOADOUT_SIM_LOAD=3s"})
	time.Sleep(50 * time.Millisecond)
	s.signal(syscall.SIGTERM)
	if st := s.wait(); st.Signal() != syscall.SIGTERM {
		t.Errorf("during imports: %v, want killed by SIGTERM", st)
	}
	s = launch(t, model(t), []string{"LOADOUT_SIM_LOAD=6s"})
	eventually(t, "configured", func() bool { return strings.Contains(s.stdout(), "Using max model len") })
	s.signal(syscall.SIGTERM)
	if st := s.wait(); st.Signal() != syscall.SIGINT {
		t.Errorf("during configuration: %v, want killed by SIGINT", st)
	}
}

func TestTwinOnOnePortGetsReadyDeaf(t *testing.T) {
	t.Parallel()
	dir := model(t)
	first := launch(t, dir, []string{"LOADOUT_SIM_LOAD=600ms"}, "--served-model-name=first")
	twin := launchOn(t, first.port, dir, []string{"LOADOUT_SIM_LOAD=1200ms"}, "--served-model-name=twin")
	eventually(t, "both ready", func() bool {
		return strings.Contains(twin.stderr(), "Application startup complete.") && strings.Contains(first.stderr(), "Application startup complete.")
	})
	if code, body := first.post("/v1/chat/completions", `{"model":"twin","messages":[{"role":"user","content":"x"}]}`); code != 404 || !strings.Contains(body, "Valid aliases: first.") {
		t.Errorf("the port answers %d %s, want the first server", code, body)
	}
	twin.signal(syscall.SIGTERM)
	if st := twin.wait(); st.ExitStatus() != 0 {
		t.Errorf("the twin ends with %v, want 0", st)
	}
}

func TestListeningOwnerOfThePortIsNoticed(t *testing.T) {
	t.Parallel()
	first := launch(t, model(t), nil).ready()
	second := launchOn(t, first.port, model(t), nil)
	if st := second.wait(); st.ExitStatus() != 1 {
		t.Errorf("status %v, want 1", st)
	}
	inOrder(t, second.stderr(), "OSError: [Errno 98] Address already in use\n")
}

func TestEngineDeathEndsWithZero(t *testing.T) {
	t.Parallel()
	for _, title := range []string{engineTitle, workerTitle} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			s := launch(t, model(t), nil).ready()
			syscall.Kill(s.pidOf(title), syscall.SIGKILL)
			eventually(t, "503", func() bool { return s.status("/health") == 503 || s.ended() })
			if st := s.wait(); !st.Exited() || st.ExitStatus() != 0 {
				t.Errorf("status %v, want 0", st)
			}
			if title == workerTitle {
				inOrder(t, s.stdout(), "Worker proc VllmWorker-0 died unexpectedly (exit code: -9), shutting down executor.", "EngineCore encountered a fatal error.")
			}
			eventually(t, "children gone", func() bool { return len(s.members()) == 0 })
		})
	}
}

func TestKeptAliveAfterEngineDeath(t *testing.T) {
	t.Parallel()
	s := launch(t, model(t), []string{"VLLM_KEEP_ALIVE_ON_ENGINE_DEATH=1"}).ready()
	syscall.Kill(s.pidOf(engineTitle), syscall.SIGKILL)
	eventually(t, "503", func() bool { return s.status("/health") == 503 })
	time.Sleep(500 * time.Millisecond)
	if s.ended() {
		t.Error("it ended")
	}
}

func TestStoppedEngineHangsGenerationsOnly(t *testing.T) {
	t.Parallel()
	s := launch(t, model(t), nil).ready()
	worker := s.pidOf(workerTitle)
	syscall.Kill(worker, syscall.SIGSTOP)
	client := http.Client{Timeout: 300 * time.Millisecond}
	if r, err := client.Post(s.base+"/v1/chat/completions", "application/json", strings.NewReader(chatTwo)); err == nil {
		t.Errorf("a hung engine answered %d", r.StatusCode)
	}
	if got := s.status("/health"); got != 200 {
		t.Errorf("/health %d, want 200", got)
	}
	syscall.Kill(worker, syscall.SIGCONT)
	if code, _ := s.post("/v1/chat/completions", chatTwo); code != 200 {
		t.Errorf("after CONT %d, want 200", code)
	}
}

func TestDrain(t *testing.T) {
	t.Parallel()
	s := launch(t, model(t), []string{"LOADOUT_SIM_STEP=150ms"}, "--shutdown-timeout", "20").ready()
	answer := make(chan int, 1)
	go func() {
		code, _ := s.post("/v1/chat/completions", chatTwo)
		answer <- code
	}()
	eventually(t, "request under way", func() bool {
		r, err := http.Get(s.base + "/metrics")
		if err != nil {
			return false
		}
		defer r.Body.Close()
		return strings.Contains(readAll(t, r.Body), `vllm:num_requests_running{engine="0",model_name="tiny"} 1.0`)
	})
	s.signal(syscall.SIGTERM)
	if code := <-answer; code != 200 {
		t.Errorf("the open request got %d, want 200", code)
	}
	if st := s.wait(); st.ExitStatus() != 0 {
		t.Errorf("status %v, want 0", st)
	}
}

func TestBrokenLogPipeIsSurvived(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s := launchTo(t, w, freePort(t), model(t), nil)
	w.Close()
	s.ready()
	r.Close()
	if code, _ := s.post("/v1/chat/completions", chatTwo); code != 200 {
		t.Errorf("chat without a reader of the log: %d", code)
	}
	s.signal(syscall.SIGTERM)
	if st := s.wait(); st.ExitStatus() != 0 {
		t.Errorf("status %v, want 0", st)
	}
}
