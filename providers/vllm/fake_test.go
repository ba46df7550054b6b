package vllm

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary plays vLLM: "TESTBINARY fake MODE vllm serve MODEL …". It
// keeps as much of the contract as a provider can see, and misbehaves by mode.
// It ends by itself after a minute.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "fake" {
		time.AfterFunc(time.Minute, func() { os.Exit(3) })
		fake(os.Args[2], os.Args[3:])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

type fakeServer struct {
	mode   string
	names  []string
	length int64
}

func fake(mode string, words []string) {
	if mode == "engine" { // the child of a server: deaf to TERM
		signal.Ignore(syscall.SIGTERM)
		select {}
	}
	c, _ := cut(words, "")
	fields := c.fields()
	s := fakeServer{mode: mode, length: 2048}
	if n, ok := fields["args.max_model_len"].(int64); ok {
		s.length = n
	}
	s.names = []string{plain(fields["served_name"])}
	if more, ok := fields["aliases"].([]any); ok {
		for _, a := range more {
			s.names = append(s.names, plain(a))
		}
	}
	address := net.JoinHostPort(plain(fields["host"]), plain(fields["port"]))
	s.load(address)
	ln, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, "OSError: [Errno 98] Address already in use")
		os.Exit(1)
	}
	fmt.Println("(APIServer pid=1) INFO 11-22 12:49:27 [launcher.py:1] Starting vLLM server on http://" + address)
	http.Serve(ln, s.routes())
}

// load is what happens before the server listens.
func (s *fakeServer) load(address string) {
	fmt.Println("(APIServer pid=1) INFO 11-22 12:49:27 [utils.py:1] non-default args: {}")
	child := exec.Command(os.Args[0], "fake", "engine")
	if err := child.Start(); err != nil {
		panic(err)
	}
	go child.Wait()
	if s.mode != "swallow" {
		ch := make(chan os.Signal, 1)
		signal.Notify(ch, syscall.SIGTERM)
		go func() { <-ch; child.Process.Kill(); os.Exit(0) }()
	}
	fmt.Println("\rLoading safetensors checkpoint shards:  50% Completed | 1/2 [00:00<00:00, 319.01it/s]")
	switch s.mode {
	case "oom":
		fmt.Println("(EngineCore pid=7) ERROR 11-22 12:49:27 [core.py:9] ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.")
		fmt.Fprintln(os.Stderr, "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}")
		os.Exit(1)
	case "slow":
		time.Sleep(20 * time.Second)
	case "swallow": // the first TERM while loading is lost
		ch := make(chan os.Signal, 1)
		signal.Notify(ch, syscall.SIGTERM)
		<-ch
		signal.Reset(syscall.SIGTERM)
		time.Sleep(20 * time.Second)
	case "twin": // somebody else listens first
		host, _, _ := net.SplitHostPort(address)
		for {
			if c, err := net.Dial("tcp", address); err == nil {
				c.Close()
				fmt.Println("INFO:     Application startup complete.")
				time.Sleep(20 * time.Second)
			}
			time.Sleep(10 * time.Millisecond)
			_ = host
		}
	}
}

func (s *fakeServer) routes() http.Handler {
	mux := http.NewServeMux()
	reply := func(w http.ResponseWriter, status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { reply(w, 404, map[string]any{"detail": "Not Found"}) })
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		if s.mode == "dead" {
			w.WriteHeader(503)
		}
	})
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, r *http.Request) {
		if key := os.Getenv("VLLM_API_KEY"); key != "" && r.Header.Get("Authorization") != "Bearer "+key {
			reply(w, 401, map[string]any{"error": "Unauthorized"})
			return
		}
		var data []map[string]any
		for _, n := range s.names {
			length := s.length
			if s.mode == "shorter" {
				length--
			}
			if s.mode == "othername" {
				n += "-other"
			}
			data = append(data, map[string]any{"id": n, "max_model_len": length})
		}
		reply(w, 200, map[string]any{"object": "list", "data": data})
	})
	if s.mode != "pooling" {
		mux.HandleFunc("POST /v1/completions", func(w http.ResponseWriter, r *http.Request) { s.complete(w, r, reply) })
	}
	return mux
}

func (s *fakeServer) complete(w http.ResponseWriter, r *http.Request, reply func(http.ResponseWriter, int, any)) {
	var body struct {
		Model string `json:"model"`
	}
	json.NewDecoder(r.Body).Decode(&body)
	_, hang := os.Stat(hangFile(os.Getenv("TMPDIR")))
	switch {
	case s.mode == "hang" || hang == nil:
		time.Sleep(20 * time.Second)
	case s.mode == "dies":
		fmt.Println("(Worker pid=9) ERROR 11-22 12:49:27 [multiproc_executor.py:953] WorkerProc hit an exception.")
		fmt.Println("(Worker pid=9) ERROR 11-22 12:49:27 [multiproc_executor.py:953] RuntimeError: Unsupported CPU attention configuration: head_dim=16")
		reply(w, 500, map[string]any{"error": map[string]any{"message": "EngineCore encountered an issue."}})
		time.AfterFunc(200*time.Millisecond, func() { os.Exit(0) })
	case !slices.Contains(s.names, body.Model):
		reply(w, 404, map[string]any{"error": map[string]any{"message": "The model does not exist."}})
	default:
		reply(w, 200, map[string]any{"choices": []any{map[string]any{"text": " a"}}, "usage": map[string]any{"completion_tokens": 1}})
	}
}

// hangFile makes a fake server stop generating as soon as it exists.
func hangFile(tmp string) string { return tmp + "/hang" }

func fakeCommand(mode string) []string { return []string{os.Args[0], "fake", mode, "vllm", "serve"} }

func freePort(t *testing.T) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := strings.Cut(ln.Addr().String(), ":")
	n, _ := strconv.Atoi(port)
	return n
}
