package ollamatest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"time"
)

func (s *Server) pull(w http.ResponseWriter, r *http.Request) {
	in, ok := s.read(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	s.fetch(lines{w}, r, in.Model, true)
}

// fetch pulls and reports; it tells whether it got to the end.
func (s *Server) fetch(out lines, r *http.Request, name string, final bool) bool {
	out.status("pulling manifest")
	s.mu.Lock()
	m, b := s.registry[canonical(name)], s.behavior
	s.mu.Unlock()
	if m == nil {
		out.send(map[string]any{"error": "pull model manifest: file does not exist"})
		return false
	}
	layer := map[string]any{"status": "pulling " + m.Blob[:12], "digest": "sha256:" + m.Blob, "total": m.Size}
	out.send(layer)
	switch {
	case b.PullStall:
		s.hang(r)
		return false
	case b.PullError != "":
		out.send(map[string]any{"error": b.PullError})
		return false
	case b.PullCut:
		return false
	}
	for _, part := range []int64{2, 1} {
		layer["completed"] = m.Size / part
		out.send(layer)
	}
	out.status("verifying sha256 digest")
	out.status("writing manifest")
	s.mu.Lock()
	copied := *m
	copied.modified = time.Now()
	s.models[canonical(name)] = &copied
	s.mu.Unlock()
	if final {
		out.status("success")
	}
	return true
}

// hang waits until the client or the service goes away.
func (s *Server) hang(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.stop:
	}
}

func (s *Server) create(w http.ResponseWriter, r *http.Request) {
	in, ok := s.read(w, r)
	if !ok {
		return
	}
	switch {
	case !valid(in.Model):
		refuse(w, http.StatusBadRequest, "invalid model name")
		return
	case in.From == "" && len(in.Files) == 0:
		refuse(w, http.StatusBadRequest, "neither 'from' or 'files' was specified")
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := lines{w}
	s.mu.Lock()
	missing := in.From != "" && s.models[canonical(in.From)] == nil
	s.mu.Unlock()
	if missing && !s.fetch(out, r, in.From, false) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.base(in)
	if err == nil {
		err = m.change(in)
	}
	if err != nil {
		out.send(map[string]any{"error": err.Error()})
		return
	}
	m.name = withTag(in.Model)
	if old := s.models[canonical(in.Model)]; old != nil {
		m.name = old.name
	}
	m.modified = time.Now()
	s.models[canonical(in.Model)] = m
	out.status("using existing layer sha256:" + m.Blob)
	out.status("writing manifest")
	out.status("success")
}

// base is a copy of the model that a create starts from.
func (s *Server) base(in request) (*model, error) {
	if in.From != "" {
		m := *s.models[canonical(in.From)]
		m.parent = m.name
		m.Parameters = maps.Clone(m.Parameters)
		m.licenses = slices.Clone(m.licenses)
		return &m, nil
	}
	all := ""
	m := newModel(in.Model, Model{})
	for _, name := range slices.Sorted(maps.Keys(in.Files)) {
		blob, there := s.blobs[in.Files[name]]
		if !there {
			return nil, fmt.Errorf("open /models/blobs/%s: no such file or directory", in.Files[name])
		}
		all += in.Files[name]
		var config struct {
			Context int64 `json:"max_position_embeddings"`
		}
		if name == "config.json" && json.Unmarshal(blob, &config) == nil && config.Context > 0 {
			m.Context = config.Context
		}
	}
	m.Blob = hash(all)
	return m, nil
}

// templateError is a fair likeness of what Go's template parser finds.
var templateError = regexp.MustCompile(`\{\{\s*(if|range|with)\s*\}\}`)

func (m *model) change(in request) error {
	if templateError.MatchString(in.Template) {
		return fmt.Errorf("template error: template: :1: missing value")
	}
	if in.Template != "" {
		m.Template = in.Template
	}
	if in.System != "" {
		m.system = in.System
	}
	switch license := in.License.(type) {
	case string:
		m.licenses = append(m.licenses, license)
	case []any:
		for _, l := range license {
			m.licenses = append(m.licenses, fmt.Sprint(l))
		}
	}
	for k, v := range in.Parameters {
		if m.Parameters == nil {
			m.Parameters = map[string]any{}
		}
		m.Parameters[k] = v
	}
	return nil
}

var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func (s *Server) hasBlob(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.blobs[r.PathValue("digest")]; !there {
		w.WriteHeader(http.StatusNotFound)
	}
}

func (s *Server) putBlob(w http.ResponseWriter, r *http.Request) {
	digest := r.PathValue("digest")
	if !digestForm.MatchString(digest) {
		refuse(w, http.StatusBadRequest, "invalid digest format")
		return
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	found := "sha256:" + hash(string(b))
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.blobs[found]
	s.blobs[found] = b // a wrong name does not keep the bytes out of the store
	switch {
	case found != digest:
		refuse(w, http.StatusBadRequest, "digest mismatch, expected %q, got %q", digest, found)
	case !known:
		w.WriteHeader(http.StatusCreated)
	}
}
