package ollama

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/loadoutdev/loadout/engine"
)

func TestForeignTagIsNeverTouched(t *testing.T) {
	onServices(t, func(w *world) {
		for _, name := range []string{"Chat-Model", "chat"} { // the name itself, and the alias
			w.post("/api/create", map[string]any{"model": name, "from": baseTag, "system": "Mine."})
			before := w.sortedTags()
			_, err := w.p.Start(w.t.Context(), w.render(), w.options("chat-model"))
			wantClass(w.t, err, "name_taken", "served_name", `(take it over with "adopt { to = model.chat-model }", choose another served_name, or drop it with "ollama rm `)
			if after := w.sortedTags(); !slices.Equal(before, after) {
				w.t.Errorf("tags before %v, after %v", before, after)
			}
			deleteTag(w.t, w.url, name)
		}
	})
}

// sortedTags: the service has no order for tags of the same second.
func (w *world) sortedTags() []tag {
	tags, err := w.c.tags(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	slices.SortFunc(tags, func(a, b tag) int { return strings.Compare(a.Name, b.Name) })
	return tags
}

func TestAdoptStopRestore(t *testing.T) {
	onServices(t, func(w *world) {
		l := w.render(func(m *engine.Model) { m.Aliases = nil })
		w.post("/api/create", map[string]any{"model": "chat-model", "from": baseTag, "parameters": settingsOf(l).parameters})
		if _, err := w.p.Adopt(w.t.Context(), l, 0, engine.InspectOptions{}); err == nil || !strings.Contains(err.Error(), "not loaded") {
			w.t.Fatalf("adopted what does not run: %v", err)
		}
		w.post("/api/generate", map[string]any{"model": "chat-model"})
		if _, err := w.p.Adopt(w.t.Context(), l, 4711, engine.InspectOptions{}); err == nil || err.Error() != "remove pid: an Ollama model is adopted by name" {
			w.t.Fatalf("adopted with a pid: %v", err)
		}
		in, err := w.p.Adopt(w.t.Context(), l, 0, engine.InspectOptions{})
		if err != nil {
			w.t.Fatal(err)
		}
		w.wantState(in, engine.StateReady, "process_differs keep_alive") // 5m: what Update repairs
		if in, err = w.p.Update(w.t.Context(), in, l, engine.StartOptions{}); err != nil {
			w.t.Fatal(err)
		}
		w.wantState(in, engine.StateReady)
		w.stop(in)
		w.wantLeft("tag chat-model:latest")
		restored := w.start(l) // it says what the launch says, so it is used as it is
		w.wantState(restored, engine.StateReady)
		w.stop(restored)
		w.wantLeft("tag chat-model:latest")
	})
}

func TestMadeAgainBySomebodyElse(t *testing.T) {
	onServices(t, func(w *world) {
		in := w.start(w.render(func(m *engine.Model) { m.Aliases = nil }))
		w.post("/api/create", map[string]any{"model": "chat-model", "from": baseTag, "system": "Mine."})
		live := w.wantState(in, engine.StateForeign, "answers_differently digest")
		tags, _ := w.c.tags(w.t.Context())
		want := "chat-model:latest was made again by somebody else (digest " + findTag(tags, "chat-model").Digest[:12] +
			`…): keep it and choose another served_name, or drop it with "ollama rm chat-model"`
		if !strings.HasPrefix(live.Detail, want) || !strings.Contains(live.Detail, `until "ollama stop tiny-base"`) {
			w.t.Errorf("detail %q, want %q and how to unload", live.Detail, want)
		}
		opt := engine.StopOptions{Progress: func(p engine.Progress) { w.t.Errorf("%q before the refusal", p.Phase) }}
		if err := w.p.Stop(w.t.Context(), in, opt); !errors.Is(err, engine.ErrForeign) || err.Error() != "stop chat-model: "+live.Detail {
			w.t.Errorf("stop: %v, want ErrForeign with the same way out", err)
		}
		if _, err := w.p.Update(w.t.Context(), in, w.render(func(m *engine.Model) { m.KeepAlive, m.Aliases = "1h", nil }), engine.StartOptions{}); !errors.Is(err, engine.ErrForeign) {
			w.t.Errorf("update: %v, want ErrForeign", err)
		}
		deleteTag(w.t, w.url, "chat-model") // the way out
		w.wantState(in, engine.StateOrphan)
		w.stop(in)
		w.wantLeft()
	})
}

func TestReplacedByALaterLaunch(t *testing.T) {
	onServices(t, func(w *world) {
		in := w.start(w.render())
		unloadNow(w.t, w.c, "chat-model")
		again := w.start(w.render()) // by a run that was killed before it recorded that
		opt := engine.InspectOptions{StateDir: w.dir}
		if live, err := w.p.Inspect(w.t.Context(), in, opt); err != nil || live.State != engine.StateGone {
			w.t.Errorf("state %s (%s), error %v, want gone", live.State, live.Detail, err)
		}
		opt.StateDir = "/another/state"
		if live, err := w.p.Inspect(w.t.Context(), in, opt); err != nil || live.State != engine.StateForeign || !strings.Contains(live.Detail, "another model or workspace") {
			w.t.Errorf("state %s (%s), error %v, want foreign", live.State, live.Detail, err)
		}
		w.stop(again)
		w.wantLeft()
	})
}

func TestAddress(t *testing.T) {
	for name, want := range map[string]string{"chat": "model.chat", "qwen3-8b": "model.qwen3-8b", "llama-3.1": `model["llama-3.1"]`,
		"7b": `model["7b"]`, "a b": `model["a b"]`, `qwen["a"]`: `model.qwen["a"]`, `qwen-2.5["a b"]`: `model["qwen-2.5"]["a b"]`} {
		if got := address(name); got != want {
			t.Errorf("address(%q) = %s, want %s", name, got, want)
		}
	}
}

func TestUpdate(t *testing.T) {
	onServices(t, func(w *world) {
		in := w.start(w.render())
		l := w.render(func(m *engine.Model) { m.KeepAlive, m.Aliases = "10m", []string{"talk"} })
		updated, err := w.p.Update(w.t.Context(), in, l, engine.StartOptions{})
		if err != nil {
			w.t.Fatal(err)
		}
		w.wantState(updated, engine.StateReady)
		if updated.LaunchDigest != l.Digest() || updated.Token != in.Token {
			w.t.Errorf("updated instance %+v", updated)
		}
		if tags, _ := w.c.tags(w.t.Context()); findTag(tags, "chat") != nil {
			w.t.Error("the old alias is still there")
		}
		if _, err := w.p.Update(w.t.Context(), updated, w.render(func(m *engine.Model) { m.Args["top_k"] = int64(3) }), engine.StartOptions{}); err == nil {
			w.t.Error("a changed parameter was taken for an update")
		}
		w.stop(updated)
		w.wantLeft()
	})
}

func TestTagOfAnotherWorkspaceIsNeverTouched(t *testing.T) {
	onServices(t, func(w *world) {
		in := w.start(w.render())
		unloadNow(w.t, w.c, "chat-model")
		opt := w.options("chat-model")
		opt.StateDir = "/another/state"
		_, err := w.p.Start(w.t.Context(), w.render(), opt)
		wantClass(w.t, err, "name_taken", "served_name", "another model or workspace")
		if s, err := w.c.look(w.t.Context(), in.Launch); err != nil || !s.ours(in.Token) {
			w.t.Errorf("the tag of the first workspace was touched: %+v, %v", s.mark, err)
		}
	})
}

func TestStopKeepsAnAliasThatSomebodyElseMade(t *testing.T) {
	onServices(t, func(w *world) {
		in := w.start(w.render())
		w.post("/api/copy", map[string]any{"source": baseTag, "destination": "chat"})
		w.stop(in)
		w.wantLeft("tag chat:latest")
	})
}
