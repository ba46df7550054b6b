package ollamatest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"time"
)

// How the real service is set by default.
const (
	defaultKeepAlive = 5 * time.Minute
	defaultContext   = 512 // tokens
	defaultMax       = 3
	// unloadTime passes between the answer to an unload and the unloading.
	unloadTime = 30 * time.Millisecond
	// ages is how far ahead "never" expires.
	ages = 290 * 365 * 24 * time.Hour
)

// runner holds the weights of one blob.
type runner struct {
	model   model // that was asked for first
	options map[string]any
	keep    time.Duration
	expires time.Time
	ready   chan struct{} // closed once loaded
}

// runnerOptions are those whose change makes the service load again.
var runnerOptions = []string{"num_ctx", "num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread"}

func optionsOf(m *model, given map[string]any) map[string]any {
	out := map[string]any{"num_ctx": float64(defaultContext)}
	for _, from := range []map[string]any{m.Parameters, given} {
		for _, k := range runnerOptions {
			if v, set := from[k]; set {
				out[k] = v
			}
		}
	}
	return out
}

func (r *runner) context() int64 {
	n, _ := r.options["num_ctx"].(float64)
	return min(int64(n), r.model.Context)
}

// expire drops runners whose time is over. The caller holds mu.
func (s *Server) expire() {
	maps.DeleteFunc(s.runners, func(_ string, r *runner) bool { return time.Now().After(r.expires) })
}

func (s *Server) ps(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	list := []map[string]any{}
	for _, r := range slices.SortedFunc(maps.Values(s.runners), func(a, b *runner) int { return b.expires.Compare(a.expires) }) {
		list = append(list, map[string]any{
			"name": r.model.name, "model": r.model.name, "digest": r.model.digest(), "details": r.model.details(),
			"size": r.model.Size, "size_vram": r.model.Size * s.behavior.VRAM / 100,
			"expires_at": r.expires, "context_length": r.context(),
		})
	}
	answer(w, map[string]any{"models": list})
}

// keepAlive reads the field: seconds, a Go duration, negative for ever.
func keepAlive(v any) (d time.Duration, given bool, err error) {
	switch v := v.(type) {
	case float64:
		d, given = time.Duration(v*float64(time.Second)), true
	case string:
		d, err = time.ParseDuration(v)
		given = true
	}
	if d < 0 {
		d = ages
	}
	return d, given, err
}

// load brings the model into memory, or finds it there, and waits for it. The
// load goes on when the client hangs up.
func (s *Server) load(w http.ResponseWriter, r *http.Request, in request, m *model) bool {
	keep, given, err := keepAlive(in.KeepAlive)
	if err != nil {
		refuse(w, http.StatusBadRequest, "%v", err)
		return false
	}
	s.mu.Lock()
	s.expire()
	if s.behavior.LoadError != "" {
		text := s.behavior.LoadError
		s.mu.Unlock()
		refuse(w, http.StatusInternalServerError, "%s", text)
		return false
	}
	run := s.runners[m.Blob]
	if options := optionsOf(m, in.Options); run == nil || !reflect.DeepEqual(run.options, options) {
		run = s.newRunner(m, options)
	}
	if given {
		run.keep = keep
	}
	run.expires = time.Now().Add(run.keep)
	s.mu.Unlock()
	select {
	case <-run.ready:
		return true
	case <-r.Context().Done():
	case <-s.stop:
	}
	return false
}

// newRunner starts a load, for which an idle runner may have to go. The caller
// holds mu.
func (s *Server) newRunner(m *model, options map[string]any) *runner {
	delete(s.runners, m.Blob)
	most := s.behavior.MaxLoaded
	if most == 0 {
		most = defaultMax
	}
	for len(s.runners) >= most {
		soonest := slices.MinFunc(slices.Collect(maps.Values(s.runners)), func(a, b *runner) int { return a.expires.Compare(b.expires) })
		delete(s.runners, soonest.model.Blob)
	}
	run := &runner{model: *m, options: options, keep: defaultKeepAlive, ready: make(chan struct{})}
	s.runners[m.Blob] = run
	time.AfterFunc(s.behavior.LoadDelay, func() { close(run.ready) })
	return run
}

func (s *Server) generate(w http.ResponseWriter, r *http.Request) {
	in, ok := s.read(w, r)
	if !ok {
		return
	}
	m := s.find(w, in.Model)
	if m == nil {
		return
	}
	if n, isNumber := in.KeepAlive.(float64); isNumber && n == 0 && in.Prompt == "" {
		s.mu.Lock()
		if run := s.runners[m.Blob]; run != nil {
			run.expires = time.Now().Add(unloadTime)
		}
		s.mu.Unlock()
		answer(w, done(in.Model, "", "unload"))
		return
	}
	if !slices.Contains(m.Capabilities, "completion") {
		refuse(w, http.StatusBadRequest, "%q does not support generate", in.Model)
		return
	}
	if !s.load(w, r, in, m) {
		return
	}
	if in.Prompt == "" {
		answer(w, done(in.Model, "", "load"))
		return
	}
	if s.hangs(r) {
		return
	}
	answer(w, done(in.Model, " token", "length"))
}

// chat is the OpenAI way to generate; errors have its shape.
func (s *Server) chat(w http.ResponseWriter, r *http.Request) {
	in, ok := s.read(w, r)
	if !ok {
		return
	}
	s.mu.Lock()
	m := s.models[canonical(in.Model)]
	s.mu.Unlock()
	if m == nil {
		w.WriteHeader(http.StatusNotFound)
		answer(w, map[string]any{"error": map[string]any{"message": fmt.Sprintf("model '%s' not found", in.Model), "type": "not_found_error", "param": nil, "code": nil}})
		return
	}
	if !s.load(w, r, in, m) || s.hangs(r) {
		return
	}
	answer(w, map[string]any{
		"object": "chat.completion", "model": in.Model,
		"choices": []map[string]any{{"index": 0, "message": map[string]any{"role": "assistant", "content": "token"}, "finish_reason": "stop"}},
		"usage":   map[string]any{"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
	})
}

func (s *Server) hangs(r *http.Request) bool {
	s.mu.Lock()
	hangs := s.behavior.HangTokens
	s.mu.Unlock()
	if hangs {
		s.hang(r)
	}
	return hangs
}

func (s *Server) embed(w http.ResponseWriter, r *http.Request) {
	in, ok := s.read(w, r)
	if !ok {
		return
	}
	m := s.find(w, in.Model)
	if m == nil || !s.load(w, r, in, m) {
		return
	}
	vectors := [][]float64{}
	if in.Input != nil {
		if s.hangs(r) {
			return
		}
		vectors = append(vectors, []float64{1, 0})
	}
	answer(w, map[string]any{"model": in.Model, "embeddings": vectors})
}

func (s *Server) find(w http.ResponseWriter, name string) *model {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.models[canonical(name)]
	if m == nil {
		notFound(w, name)
	}
	return m
}

func done(name, response, reason string) map[string]any {
	return map[string]any{"model": name, "created_at": time.Now(), "response": response,
		"done": true, "done_reason": json.RawMessage(`"` + reason + `"`)}
}
