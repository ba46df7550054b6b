package ollama

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/providers/ollama/ollamatest"
)

// world is a service with the base model, and what a test does with it.
type world struct {
	t   *testing.T
	url string
	p   *Provider
	c   *client
	dir string
	n   int
}

// onServices runs the same test against the fake and, where there is one, a real
// service: what the fake claims is so what the real one does.
func onServices(t *testing.T, test func(w *world)) {
	t.Run("fake", func(t *testing.T) { test(newWorld(t, fake(t).URL)) })
	t.Run("real", func(t *testing.T) {
		url := ollamatest.Real(t)
		importTiny(t, url)
		test(newWorld(t, url))
	})
}

func newWorld(t *testing.T, url string) *world {
	p := New()
	return &world{t: t, url: url, p: p, c: p.client(url), dir: "/state/" + t.Name()}
}

func (w *world) render(edits ...func(*engine.Model)) engine.Launch {
	w.t.Helper()
	m := chatModel(w.url)
	for _, edit := range edits {
		edit(m)
	}
	l, problems := w.p.Render(m, engine.RenderEnv{})
	if engine.HasErrors(problems) {
		w.t.Fatalf("render: %+v", problems)
	}
	return l
}

func (w *world) options(model string) engine.StartOptions {
	w.n++
	return engine.StartOptions{Model: model, ID: fmt.Sprint(w.n), Token: fmt.Sprintf("token%d", w.n), StateDir: w.dir,
		Timeout: 30 * time.Second, Stop: 10 * time.Second}
}

func (w *world) start(l engine.Launch) engine.Instance {
	w.t.Helper()
	in, err := w.p.Start(w.t.Context(), l, w.options("chat-model"))
	if err != nil {
		w.t.Fatalf("start: %v", err)
	}
	return in
}

func (w *world) inspect(in engine.Instance) engine.Live {
	w.t.Helper()
	live, err := w.p.Inspect(w.t.Context(), in, engine.InspectOptions{Generate: true})
	if err != nil {
		w.t.Fatal(err)
	}
	return live
}

func (w *world) wantState(in engine.Instance, want engine.State, mismatches ...string) engine.Live {
	w.t.Helper()
	live := w.inspect(in)
	var paths []string
	for _, m := range live.Mismatches {
		paths = append(paths, string(m.Code)+" "+m.Path)
	}
	if live.State != want || !slices.Equal(paths, mismatches) {
		w.t.Fatalf("state %s (%s) with mismatches %q, want %s with %q", live.State, live.Detail, paths, want, mismatches)
	}
	return live
}

func (w *world) stop(in engine.Instance) {
	w.t.Helper()
	if err := w.p.Stop(w.t.Context(), in, engine.StopOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) post(path string, v map[string]any) { ollamatest.Post(w.t, w.url+path, v) }

func (w *world) wantLeft(want ...string) {
	w.t.Helper()
	if got := left(w.t, w.c); !slices.Equal(got, want) {
		w.t.Fatalf("left: %q, want %q", got, want)
	}
}

func wantClass(t *testing.T, err error, class, field, text string) {
	t.Helper()
	var e *engine.StartError
	ok := errors.As(err, &e)
	if !ok || e.Class != class || e.Field != field || !strings.Contains(e.Error(), text) {
		t.Fatalf("error %#v, want class %s, field %s, text %q", err, class, field, text)
	}
}

func TestParametersHoldForEveryClient(t *testing.T) {
	onServices(t, func(w *world) {
		in := w.start(w.render())
		w.post("/api/generate", map[string]any{"model": "chat-model", "prompt": "x", "stream": false})
		w.post("/api/generate", map[string]any{"model": "CHAT", "prompt": "x", "stream": false})
		live := w.wantState(in, engine.StateReady)
		for path, want := range map[string]engine.Value{"args.num_ctx": int64(256), "args.top_p": 0.9,
			"args.temperature": int64(0), "args.stop": []any{"<stop>", `a "b"`}} {
			if !engine.EqualValues(live.Fields[path], want) {
				w.t.Errorf("%s runs with %v, want %v", path, live.Fields[path], want)
			}
		}
		if want := []string{"chat-model", "chat"}; !slices.Equal(live.Served, want) {
			w.t.Errorf("serves %q, want %q", live.Served, want)
		}
		w.stop(in)
		w.wantLeft()
	})
}

func TestTemplateReachesTheModel(t *testing.T) {
	onServices(t, func(w *world) {
		const template = "{{ range .Messages }}{{ .Role }}: {{ .Content }}\n{{ end }}assistant:"
		in := w.start(w.render(func(m *engine.Model) { m.ChatTemplate = template }))
		w.wantState(in, engine.StateReady)
		s, err := w.c.show(w.t.Context(), "chat-model")
		if err != nil || s.Template != template {
			w.t.Errorf("template %q (%v), want %q", s.Template, err, template)
		}
		w.stop(in)
	})
}

func TestDrift(t *testing.T) {
	chat := map[string]any{"model": "chat-model", "stream": false}
	with := func(more map[string]any) map[string]any {
		out := map[string]any{}
		for _, m := range []map[string]any{chat, more} {
			for k, v := range m {
				out[k] = v
			}
		}
		return out
	}
	for _, tc := range []struct {
		name       string
		path       string
		body       map[string]any
		state      engine.State
		mismatches []string
	}{
		{"a client takes the pin away", "/api/generate", with(map[string]any{"keep_alive": "10m"}),
			engine.StateReady, []string{"process_differs keep_alive"}},
		{"a client loads it with another context", "/api/generate",
			with(map[string]any{"prompt": "x", "keep_alive": -1, "options": map[string]any{"num_ctx": 128}}),
			engine.StateReady, []string{"process_differs args.num_ctx"}},
		{"another tag is put in its place", "/api/create", with(map[string]any{"from": baseTag, "system": "Other."}),
			engine.StateForeign, []string{"answers_differently digest"}},
		{"it is made again out of itself", "/api/create", with(map[string]any{"from": "chat-model", "system": "Other."}),
			engine.StateWrong, []string{"answers_differently digest"}}, // it still has our mark
		{"an alias is pointed elsewhere", "/api/copy", map[string]any{"source": baseTag, "destination": "chat"},
			engine.StateReady, []string{"answers_differently served"}},
		{"the base is made again", "/api/create", map[string]any{"model": baseTag, "from": baseTag, "system": "New."},
			engine.StateReady, []string{"artifact_changed source"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			onServices(t, func(w *world) {
				in := w.start(w.render())
				w.post(tc.path, tc.body)
				// Not asked to generate: that would load it as the tag says.
				live, err := w.p.Inspect(w.t.Context(), in, engine.InspectOptions{})
				if err != nil {
					w.t.Fatal(err)
				}
				var got []string
				for _, m := range live.Mismatches {
					got = append(got, string(m.Code)+" "+m.Path)
				}
				if live.State != tc.state || !slices.Equal(got, tc.mismatches) {
					w.t.Errorf("%s (%s) with %q, want %s with %q", live.State, live.Detail, got, tc.state, tc.mismatches)
				}
			})
		})
	}
}

func TestFiniteKeepAliveMayBeUnloaded(t *testing.T) {
	onServices(t, func(w *world) {
		in := w.start(w.render(func(m *engine.Model) { m.KeepAlive = "30m" }))
		w.wantState(in, engine.StateReady)
		unloadNow(w.t, w.c, "chat-model")
		if live := w.wantState(in, engine.StateReady); !strings.Contains(live.Detail, "not loaded now") {
			w.t.Errorf("detail %q", live.Detail)
		}
		w.stop(in)
		w.wantLeft()
	})
}

func TestSharedWeights(t *testing.T) {
	onServices(t, func(w *world) {
		plain := func(name string) engine.Launch { // the same runner options as the base
			return w.render(func(m *engine.Model) {
				m.Name, m.ServedName, m.Aliases, m.Args = name, name, nil, map[string]any{"top_k": int64(len(name))}
			})
		}
		a, err := w.p.Start(w.t.Context(), plain("first"), w.options("first"))
		if err != nil {
			w.t.Fatal(err)
		}
		b, err := w.p.Start(w.t.Context(), plain("second"), w.options("second"))
		if err != nil {
			w.t.Fatal(err)
		}
		w.wantState(a, engine.StateReady)
		w.wantState(b, engine.StateReady) // listed under the name of the first
		w.stop(b)
		w.wantState(a, engine.StateReady)
		w.stop(a)
		w.wantLeft()
	})
}

func TestServedUnderTheBaseName(t *testing.T) {
	onServices(t, func(w *world) {
		in := w.start(w.render(func(m *engine.Model) {
			m.Name, m.ServedName, m.Aliases, m.Args = baseTag, baseTag, nil, nil
		}))
		w.wantLeft("runner " + baseTag + ":latest")
		w.wantState(in, engine.StateReady)
		w.stop(in)
		w.wantLeft()
		if tags, _ := w.c.tags(w.t.Context()); findTag(tags, baseTag) == nil {
			w.t.Error("the base model was deleted")
		}
	})
}

func TestDeletedWhileLoaded(t *testing.T) {
	onServices(t, func(w *world) {
		in := w.start(w.render(func(m *engine.Model) { m.Aliases = nil }))
		deleteTag(w.t, w.url, "chat-model")
		w.wantState(in, engine.StateOrphan)
		w.stop(in)
		w.wantLeft()
	})
}

func TestCancelWhileLoading(t *testing.T) {
	onServices(t, func(w *world) {
		ctx, cancel := context.WithCancel(w.t.Context())
		defer cancel()
		opt := w.options("chat-model")
		opt.Progress = func(p engine.Progress) {
			if p.Phase == "loading weights" {
				time.AfterFunc(20*time.Millisecond, cancel)
			} else if p.Phase == "asking for a token" {
				cancel() // loaded too fast
			}
		}
		_, err := w.p.Start(ctx, w.render(), opt)
		wantClass(w.t, err, "canceled", "", "canceled")
		w.wantLeft()
		time.Sleep(500 * time.Millisecond)
		w.wantLeft() // and nothing comes up later
	})
}

func TestPinnedBase(t *testing.T) {
	onServices(t, func(w *world) {
		tags, err := w.c.tags(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		in := w.start(w.render(func(m *engine.Model) { m.Source += "@sha256:" + findTag(tags, baseTag).Digest }))
		w.stop(in)
		_, err = w.p.Start(w.t.Context(), w.render(func(m *engine.Model) { m.Source += "@sha256:" + strings.Repeat("ab", 32) }), w.options("chat-model"))
		wantClass(w.t, err, "missing_file", "source", "not the sha256:abab")
		w.wantLeft()
	})
}
