package ollama

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

func TestEvictedIsAnOrphanAndStartsAgain(t *testing.T) {
	onServices(t, func(w *world) {
		in := w.start(w.render())
		unloadNow(w.t, w.c, "chat-model")
		live := w.wantState(in, engine.StateOrphan)
		if !strings.Contains(live.Detail, "no longer loaded") || live.MemoryBytes != 0 {
			w.t.Errorf("detail %q, %d bytes", live.Detail, live.MemoryBytes)
		}
		// The tags of the earlier launch are still there and are replaced.
		again := w.start(w.render(func(m *engine.Model) { delete(m.Args, "top_p") }))
		live = w.wantState(again, engine.StateReady)
		if v, there := live.Fields["args.top_p"]; there {
			w.t.Errorf("a parameter that was removed is still %v", v)
		}
		w.stop(again)
		w.wantLeft()
	})
}

func TestWhatIsLeftOfAnInstance(t *testing.T) {
	onServices(t, func(w *world) {
		in := w.start(w.render())
		unloadNow(w.t, w.c, "chat-model")
		deleteTag(w.t, w.url, "chat-model")
		w.wantState(in, engine.StateOrphan) // the alias
		w.stop(in)
		w.wantState(in, engine.StateGone)
		w.wantLeft()

		base := w.start(w.render(func(m *engine.Model) { m.Name, m.ServedName, m.Aliases, m.Args = baseTag, baseTag, nil, nil }))
		unloadNow(w.t, w.c, baseTag)
		w.wantState(base, engine.StateGone) // the base is not ours
	})
}

func TestProbeLoadsNothing(t *testing.T) {
	for name, disturb := range map[string]func(*world){
		"unloading": func(w *world) {
			w.post("/api/generate", map[string]any{"model": "chat-model", "keep_alive": 0})
		},
		"unloaded since the first look": func(w *world) {
			w.p.http.Transport = beforeNth(2, "/api/ps", func() { unloadNow(w.t, w.c, "chat-model") })
		},
		"loaded with another context": func(w *world) {
			w.post("/api/generate", map[string]any{"model": "chat-model", "prompt": "x", "stream": false, "keep_alive": "700h", "options": map[string]any{"num_ctx": 128}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			onServices(t, func(w *world) {
				in := w.start(w.render())
				c := New().client(w.url) // not disturbed
				w.p, w.c = New(), c
				disturb(w)
				w.inspect(in)
				time.Sleep(150 * time.Millisecond)
				runners, err := c.running(w.t.Context())
				if err != nil {
					w.t.Fatal(err)
				}
				for _, r := range runners {
					if r.ContextLength != 128 {
						w.t.Errorf("the look loaded %s with a context of %d", r.Name, r.ContextLength)
					}
				}
			})
		})
	}
}

// beforeNth does something before the n-th request to a path.
func beforeNth(n int, path string, do func()) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == path {
			if n--; n == 0 {
				do()
			}
		}
		return http.DefaultTransport.RoundTrip(r)
	})
}

func TestKeepAliveIsReadBackAsDeclared(t *testing.T) {
	onServices(t, func(w *world) {
		for _, tc := range []struct {
			declared string
			want     engine.Value
		}{{"", nil}, {"forever", "forever"}, {"-1", "-1"}, {"5m", "5m"}, {"3600", "3600"}, {"90m", "90m"}} {
			in := w.start(w.render(func(m *engine.Model) { m.KeepAlive = tc.declared }))
			if live := w.wantState(in, engine.StateReady); live.Fields["keep_alive"] != tc.want {
				w.t.Errorf("declared %q, reads %v, want %v", tc.declared, live.Fields["keep_alive"], tc.want)
			}
			w.stop(in)
		}
	})
}
