package sim

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

// killTitled kills a worker that the engine left behind, if the pid is still a
// worker's.
func killTitled(pid int) {
	title, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err == nil && strings.HasPrefix(string(title), workerTitle) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// shutdown ends a server that was asked to: the engine first, then the port.
// Open requests are given up, or with --shutdown-timeout waited for.
func (l *leader) shutdown(server *http.Server, requests *requestCount) error {
	mode := "abort"
	if l.drain > 0 {
		mode = "drain"
	}
	l.info("launcher.py:254", "[shutdown] API server: shutdown triggered")
	l.info("launcher.py:270", "[shutdown] API server: stopping engine client mode=%s timeout=%ds", mode, l.drain)
	if n := requests.open(); n > 0 && l.drain > 0 {
		l.info("core.py:1648", "[shutdown] EngineCore: draining in-flight requests count=%d timeout=%ds", n, l.drain)
		requests.wait(time.Duration(l.drain) * time.Second)
	}
	l.info("core_client.py:770", "[shutdown] MPClient: start timeout=%ds", l.drain)
	l.info("utils.py:628", "[shutdown] Process manager: send sigterm to process EngineCore")
	l.warning("utils.py:648", "[shutdown] Process manager: force killing remaining processes count=1")
	for _, pid := range l.engine.workerPids() {
		l.warning("system_utils.py:225", "[shutdown] force killing sub process VLLM::Worker pid %d", pid)
	}
	l.engine.stop(0)
	l.info("launcher.py:304", "[shutdown] API server: shutting down FastAPI HTTP server")
	if l.fail.has("hang-on-term") {
		fmt.Fprintln(l.stderr, "INFO:     Shutting down\nINFO:     Waiting for connections to close. (CTRL+C to force quit)")
		for range l.signals { // ignored, as in this state of vLLM
		}
	}
	return l.closeHTTP(server)
}

// closeHTTP closes the port and says so as uvicorn does.
func (l *leader) closeHTTP(server *http.Server) error {
	fmt.Fprintln(l.stderr, "INFO:     Shutting down")
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		server.Close()
	}
	fmt.Fprintln(l.stderr, "INFO:     Waiting for application shutdown.\nINFO:     Application shutdown complete.")
	return nil
}

// engineDied is the end of a server whose engine has ended by itself: requests
// get 500 and /health 503 for a while, then it ends with status 0.
func (l *leader) engineDied(server *http.Server) error {
	l.error("core_client.py:1002", "[shutdown] MPClient: engine core exited unexpectedly; starting cleanup")
	l.engine.stop(0)
	l.error("async_llm.py:906", "AsyncLLM output_handler failed.\nTraceback (most recent call last):\n"+
		"vllm.v1.engine.exceptions.EngineDeadError: %s", errEngineDead)
	watchdog := time.After(l.pace.scaled(4*time.Second, 300*time.Millisecond))
	met := l.engine.met
	if l.keepDead {
		watchdog, met = nil, nil
	}
	select {
	case <-l.signals:
	case <-watchdog:
	case <-met:
	}
	return l.closeHTTP(server)
}
