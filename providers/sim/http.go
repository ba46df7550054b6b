package sim

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// route is one method and path.
type route struct {
	method, path string
	handle       http.HandlerFunc
}

// api answers HTTP as vLLM's frontend does.
type api struct {
	*leader
	routes   []route
	requests requestCount
	stats    stats
	sleeping atomic.Bool
}

func newAPI(l *leader) *api {
	a := &api{leader: l}
	a.routes = []route{
		{"GET", "/load", a.load},
		{"GET", "/version", a.version},
		{"GET", "/kv_event_sources", func(w http.ResponseWriter, _ *http.Request) { writeBody(w, 200, struct{}{}) }},
		{"GET", "/health", a.health},
		{"GET", "/metrics", a.metrics},
		{"POST", "/tokenize", a.tokenize},
		{"POST", "/detokenize", a.detokenize},
		{"GET", "/v1/models", a.models},
		{"GET", "/ping", a.health},
		{"POST", "/ping", a.health},
		{"POST", "/invocations", a.invocations},
		{"POST", "/v1/chat/completions", a.chatCompletions},
		{"POST", "/v1/completions", a.completions},
	}
	if l.devMode {
		a.routes = append(a.routes, a.devRoutes()...)
	}
	return a
}

// serveHTTP is the last part of the start and the life of a ready server.
func (l *leader) serveHTTP(port *socket) error {
	go l.engine.watch()
	if err := l.finish(); err != nil {
		l.engine.stop(0)
		return err
	}
	a := newAPI(l)
	listener, err := port.listen()
	if err != nil {
		l.engine.stop(0)
		return err
	}
	l.announce(l.scheme()+port.address(), a.routes)
	server := &http.Server{Handler: a, IdleTimeout: 5 * time.Second, ReadHeaderTimeout: time.Minute}
	if listener != nil {
		go l.accept(server, listener)
	}
	return l.live(server, a)
}

// accept serves until the server is closed, with TLS when it has a key.
func (l *leader) accept(server *http.Server, listener net.Listener) {
	if l.hasTLS() {
		_ = server.ServeTLS(listener, l.text("ssl_certfile"), l.text("ssl_keyfile"))
		return
	}
	_ = server.Serve(listener)
}

func (l *leader) hasTLS() bool { return l.text("ssl_keyfile") != "" }

func (l *leader) scheme() string {
	if l.hasTLS() {
		return "https://"
	}
	return "http://"
}

// live waits for the end: a signal, the engine's death, or what was asked for.
func (l *leader) live(server *http.Server, a *api) error {
	var leave <-chan time.Time
	if l.fail.has("exit0-after-ready") {
		leave = time.After(l.pace.scaled(time.Second, 100*time.Millisecond))
	}
	select {
	case <-leave:
		l.engine.stop(0)
		return nil
	case <-l.signals:
		return l.shutdown(server, &a.requests)
	case <-l.engine.dead:
		return l.engineDied(server)
	}
}

// ServeHTTP finds the route. A path that exists under another method is 405,
// the HEAD of a GET too.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", "uvicorn")
	w.Header().Set("Vary", "Origin")
	seen := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	a.dispatch(seen, r)
	if a.accessLog {
		fmt.Fprintf(a.stdout, "INFO:     %s - \"%s %s HTTP/1.1\" %d %s\n", r.RemoteAddr, r.Method, r.URL.RequestURI(), seen.status, http.StatusText(seen.status))
	}
}

func (a *api) dispatch(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodOptions && guarded(r.URL.Path) && !a.allowed(r) {
		w.Header().Del("Vary")
		writeBody(w, http.StatusUnauthorized, map[string]string{"error": "Unauthorized"})
		return
	}
	var allow []string
	for _, route := range a.routes {
		if route.path == r.URL.Path && route.method == r.Method {
			route.handle(w, r)
			return
		}
		if route.path == r.URL.Path {
			allow = append(allow, route.method)
		}
	}
	if allow == nil {
		writeBody(w, http.StatusNotFound, detail{"Not Found"})
		return
	}
	w.Header().Set("Allow", allow[0])
	writeBody(w, http.StatusMethodNotAllowed, detail{"Method Not Allowed"})
}

func guarded(path string) bool {
	return strings.HasPrefix(path, "/v1") || strings.HasPrefix(path, "/v2") || strings.HasPrefix(path, "/inference")
}

func (a *api) allowed(r *http.Request) bool {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return len(a.apiKeys) == 0 || strings.EqualFold(scheme, "bearer") && slices.Contains(a.apiKeys, key)
}

// statusWriter remembers the status for the access log.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection, to flush.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// requestCount counts generations that are under way.
type requestCount struct{ n atomic.Int64 }

func (c *requestCount) open() int64 { return c.n.Load() }

// wait returns when none is left, or after the limit.
func (c *requestCount) wait(limit time.Duration) {
	for end := time.Now().Add(limit); c.open() > 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
}
