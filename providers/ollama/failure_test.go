package ollama

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/providers/ollama/ollamatest"
)

func TestPull(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*ollamatest.Behavior)
		class  string // empty: the start succeeds
		text   string
	}{
		{"whole", func(*ollamatest.Behavior) {}, "", ""},
		{"error inside the stream", func(b *ollamatest.Behavior) { b.PullError = "max retries exceeded: EOF" }, "missing_file", "pull far: max retries exceeded: EOF"},
		{"ends without success", func(b *ollamatest.Behavior) { b.PullCut = true }, "missing_file", "ended without success"},
		{"stalls", func(b *ollamatest.Behavior) { b.PullStall = true }, "timeout", "no progress for 200ms"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := fake(t)
			s.Offer("far", ollamatest.Model{})
			s.Behave(tc.change)
			w := newWorld(t, s.URL)
			w.p = New(WithStall(200 * time.Millisecond))
			opt := w.options("chat-model")
			var fractions []float64
			opt.Progress = func(p engine.Progress) {
				if strings.HasPrefix(p.Phase, "pulling ") && p.Fraction >= 0 {
					fractions = append(fractions, p.Fraction)
				}
			}
			l := w.render(func(m *engine.Model) { m.Source = Scheme + "far" })
			in, err := w.p.Start(t.Context(), l, opt)
			if tc.class != "" {
				var e *engine.StartError
				ok := errors.As(err, &e)
				if !ok || e.Class != tc.class || !strings.Contains(e.Cause, tc.text) {
					t.Fatalf("error %#v, want class %s with %q", err, tc.class, tc.text)
				}
				w.wantLeft()
				return
			}
			if err != nil || !slices.Equal(fractions, []float64{0, 0.5, 1}) {
				t.Fatalf("error %v, fractions %v", err, fractions)
			}
			w.stop(in)
			w.wantLeft("tag far:latest") // the base stays
		})
	}
}

func TestLoadErrors(t *testing.T) {
	for _, tc := range []struct{ answer, class, field string }{
		{"model requires more system memory (64.0 GiB) than is available (19.0 GiB)", "out_of_memory", "args.num_ctx"},
		{"llama-server process has terminated: CUDA error: out of memory", "out_of_memory", "args.num_ctx"},
		{"llama runner process has terminated: error loading model: missing tensor 'output_norm.weight'\npanic:", "exited", ""},
	} {
		s := fake(t)
		s.Behave(func(b *ollamatest.Behavior) { b.LoadError = tc.answer })
		w := newWorld(t, s.URL)
		_, err := w.p.Start(t.Context(), w.render(), w.options("chat-model"))
		wantClass(t, err, tc.class, tc.field, strings.Join(strings.Fields(tc.answer), " "))
		w.wantLeft()
	}
}

func TestUnreachable(t *testing.T) {
	s := ollamatest.Start()
	s.Close()
	w := newWorld(t, s.URL)
	_, err := w.p.Start(t.Context(), w.render(), w.options("chat-model"))
	wantClass(t, err, "unreachable", "url", "Ollama at "+s.URL+" does not answer: ")
	if !strings.HasSuffix(err.Error(), " (start the Ollama service, or correct the url)") || strings.Count(err.Error(), s.URL) != 1 {
		t.Errorf("error %q, want one cause and one hint: nothing was made that had to be removed", err)
	}
	l := w.render()
	live, err := w.p.Inspect(t.Context(), engine.Instance{Launch: l, Token: "t"}, engine.InspectOptions{})
	if err != nil || live.State != engine.StateUnknown || !strings.Contains(live.Detail, s.URL) {
		t.Errorf("live %s %q, error %v", live.State, live.Detail, err)
	}
	if err := w.p.Stop(t.Context(), engine.Instance{Model: "chat-model", Launch: l}, engine.StopOptions{}); err == nil || !strings.HasPrefix(err.Error(), "stop chat-model: ") {
		t.Errorf("stop: %v, want an error: nobody knows whether it is gone", err)
	}
}

func TestServiceEndsDuringTheStart(t *testing.T) {
	s := fake(t)
	w := newWorld(t, s.URL)
	w.p.http.Transport = deafTo("/api/generate", "/api/delete")
	_, err := w.p.Start(t.Context(), w.render(), w.options("chat-model"))
	var e *engine.StartError
	if !errors.As(err, &e) || e.Hint != "start the Ollama service, or correct the url" ||
		!strings.Contains(e.Cause, "; what was made could not be removed: Ollama at "+s.URL+" does not answer") {
		t.Errorf("error %#v, want the cleanup with the cause and the hint alone", err)
	}
}

// deafTo loses the requests to some paths.
func deafTo(paths ...string) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		if slices.Contains(paths, r.URL.Path) {
			return nil, errors.New("connection refused")
		}
		return http.DefaultTransport.RoundTrip(r)
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestHungAndOffloaded(t *testing.T) {
	s := fake(t)
	w := newWorld(t, s.URL)
	in := w.start(w.render())
	s.Behave(func(b *ollamatest.Behavior) { b.VRAM = 60 })
	live := w.wantState(in, engine.StateReady)
	if live.Detail != "40 % on CPU" || live.MemoryBytes != 600_000 {
		t.Errorf("detail %q, memory %d", live.Detail, live.MemoryBytes)
	}
	s.Behave(func(b *ollamatest.Behavior) { b.HangTokens = true })
	live, err := w.p.Inspect(t.Context(), in, engine.InspectOptions{Generate: true, Timeout: 100 * time.Millisecond})
	if err != nil || live.State != engine.StateHung {
		t.Errorf("state %s (%s), error %v, want hung", live.State, live.Detail, err)
	}
}

func TestEvictionByAnotherModel(t *testing.T) {
	s := fake(t)
	s.Install("other", ollamatest.Model{})
	s.Behave(func(b *ollamatest.Behavior) { b.MaxLoaded = 1 })
	w := newWorld(t, s.URL)
	in := w.start(w.render())
	w.post("/api/generate", map[string]any{"model": "other"})
	w.wantState(in, engine.StateOrphan) // its tags are left
}

func TestEmbeddingModel(t *testing.T) {
	s := ollamatest.Start()
	t.Cleanup(s.Close)
	s.Install(baseTag, ollamatest.Model{Capabilities: []string{"embedding"}})
	w := newWorld(t, s.URL)
	in := w.start(w.render())
	w.wantState(in, engine.StateReady)
	w.stop(in)
	w.wantLeft()
}

func TestNothingButOurTagsIsDeleted(t *testing.T) {
	s := fake(t)
	w := newWorld(t, s.URL)
	w.stop(w.start(w.render()))
	var deleted []string
	for _, call := range s.Calls() {
		if name, ok := strings.CutPrefix(call, "DELETE /api/delete "); ok {
			deleted = append(deleted, name)
		}
	}
	if want := []string{"chat-model", "chat"}; !slices.Equal(deleted, want) {
		t.Errorf("deleted %q, want %q", deleted, want)
	}
}

func TestForeignHost(t *testing.T) {
	s := fake(t)
	c := New().client(s.URL)
	c.http = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		r.Host = "gpu-host.example"
		return http.DefaultTransport.RoundTrip(r)
	})}
	_, err := c.tags(t.Context())
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("error %v does not say that the url needs a local name", err)
	}
}

func TestDiscover(t *testing.T) {
	s := fake(t)
	s.Install("cloud", ollamatest.Model{RemoteHost: "https://example.com"})
	s.Install("embed:v1", ollamatest.Model{Capabilities: []string{"embedding"}})
	w := newWorld(t, s.URL)
	w.start(w.render())
	found, err := Discover(t.Context(), s.URL+"/")
	if err != nil || len(found) != 2 {
		t.Fatalf("found %d artifacts, error %v, want the two local ones: %+v", len(found), err, found)
	}
	if found[0].Source != "ollama://embed:v1" || !found[0].Capabilities["embeddings"] {
		t.Errorf("first %+v", found[0])
	}
	a := found[1]
	if a.Source != "ollama://tiny-base" || !strings.HasPrefix(a.Revision, "sha256:") || a.Format != "gguf" ||
		a.Quantization != "F16" || a.Architecture != "llama" || a.ContextLength != 2048 || a.Parameters != 119872 ||
		a.WeightBytes != 1_000_000 || !a.Capabilities["chat"] || a.License != "MIT License" || !a.Complete ||
		a.Evidence["context_length"] != "/api/show: model_info.llama.context_length" {
		t.Errorf("artifact %+v", a)
	}
}

func TestParseCount(t *testing.T) {
	for text, want := range map[string]int64{"7.6B": 7_600_000_000, "494.03M": 494_030_000, "120K": 120_000, "123": 123, "": 0, "many": 0, "B": 0} {
		if got := parseCount(text); got != want {
			t.Errorf("parseCount(%q) = %d, want %d", text, got, want)
		}
	}
}
