// Package ollamatest is an Ollama service for tests: a fake that keeps the
// documented contract over real HTTP on the loopback interface, and a way to
// start a real one.
//
// The fake has no weights and generates one fixed word. What it does keep are
// the habits that a client can trip over: names without case, parameters merged
// with the base's, unknown parameters taken without a word, licenses appended,
// one runner for one set of weights, reloads when options of the runner differ,
// unloading after the answer, errors inside a stream with status 200, eviction,
// and 403 for a foreign Host.
package ollamatest

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// Version is what the fake says it is.
const Version = "0.24.0"

// Behavior changes how the fake acts; the zero value is a healthy service.
type Behavior struct {
	LoadDelay  time.Duration
	LoadError  string // answer to every load, status 500
	PullError  string // line in the middle of a pull
	PullStall  bool   // a pull stops talking after its first layer line
	PullCut    bool   // a pull ends without success
	HangTokens bool   // generating never ends
	MaxLoaded  int    // runners before one is evicted; default 3
	// VRAM is the part of a model that is in GPU memory, in percent.
	VRAM int64
}

// Server is a running fake. Its methods may be called from several goroutines.
type Server struct {
	URL string

	http *httptest.Server
	stop chan struct{} // closed by Close: ends what hangs

	mu       sync.Mutex
	behavior Behavior
	models   map[string]*model // by canonical name
	registry map[string]*model // what a pull finds
	blobs    map[string][]byte // by sha256:hex
	runners  map[string]*runner
	calls    []string
}

// Start starts a fake without models; Close ends it.
func Start() *Server {
	s := &Server{
		stop: make(chan struct{}), behavior: Behavior{VRAM: 100},
		models: map[string]*model{}, registry: map[string]*model{},
		blobs: map[string][]byte{}, runners: map[string]*runner{},
	}
	s.http = httptest.NewServer(s.handler())
	s.URL = s.http.URL
	return s
}

// Close ends the fake and every request in it.
func (s *Server) Close() {
	close(s.stop)
	s.http.Close()
}

// Behave changes the behavior from now on.
func (s *Server) Behave(change func(*Behavior)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.behavior)
}

// Calls lists the requests so far that may change something, as
// "METHOD /path model".
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// EvictAll unloads every model, as pressure on the memory or a restart of the
// service would.
func (s *Server) EvictAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.runners)
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range map[string]http.HandlerFunc{
		"GET /{$}":                  s.root,
		"GET /api/version":          s.version,
		"GET /api/tags":             s.tags,
		"GET /api/ps":               s.ps,
		"POST /api/show":            s.show,
		"POST /api/pull":            s.pull,
		"POST /api/create":          s.create,
		"POST /api/copy":            s.copy,
		"DELETE /api/delete":        s.delete,
		"POST /api/generate":        s.generate,
		"POST /api/embed":           s.embed,
		"POST /v1/chat/completions": s.chat,
		"HEAD /api/blobs/{digest}":  s.hasBlob,
		"POST /api/blobs/{digest}":  s.putBlob,
	} {
		mux.HandleFunc(pattern, h)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !local(r.Host) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func local(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (s *Server) root(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "Ollama is running") }

func (s *Server) version(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"version": Version})
}

// request is the body of every POST and DELETE.
type request struct {
	Model, Name, From   string
	Source, Destination string
	Prompt              string
	Input               any
	Template, System    string
	License             any
	Parameters, Options map[string]any
	Files               map[string]string
	KeepAlive           any `json:"keep_alive"`
	Stream              *bool
}

// read decodes the body and notes the call; ok is false when it has answered.
func (s *Server) read(w http.ResponseWriter, r *http.Request) (request, bool) {
	var in request
	body, err := io.ReadAll(r.Body) // to its end: only then is hanging up noticed
	if err != nil || json.Unmarshal(body, &in) != nil {
		refuse(w, http.StatusBadRequest, "missing request body")
		return in, false
	}
	if in.Model == "" {
		in.Model = in.Name
	}
	if r.URL.Path != "/api/show" {
		s.mu.Lock()
		s.calls = append(s.calls, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+in.Model+in.Destination))
		s.mu.Unlock()
	}
	return in, true
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, status int, format string, args ...any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": fmt.Sprintf(format, args...)})
}

func notFound(w http.ResponseWriter, name string) {
	refuse(w, http.StatusNotFound, "model '%s' not found", name)
}

// lines answers with newline-delimited JSON, each line sent at once.
type lines struct{ w http.ResponseWriter }

func (l lines) send(v map[string]any) {
	_ = json.NewEncoder(l.w).Encode(v)
	if f, ok := l.w.(http.Flusher); ok {
		f.Flush()
	}
}

func (l lines) status(text string) { l.send(map[string]any{"status": text}) }
