package ollama

import (
	"slices"
	"strings"
	"testing"

	"github.com/loadoutdev/loadout/engine"
)

func TestForeignTagIsNeverTouched(t *testing.T) {
	onServices(t, func(w *world) {
		for _, name := range []string{"Chat-Model", "chat"} { // the name itself, and the alias
			w.post("/api/create", map[string]any{"model": name, "from": baseTag, "system": "Mine."})
			before, _ := w.c.tags(w.t.Context())
			_, err := w.p.Start(w.t.Context(), w.render(), w.options("chat-model"))
			wantClass(w.t, err, "name_taken", "served_name", "choose another served_name")
			after, _ := w.c.tags(w.t.Context())
			if !slices.Equal(before, after) {
				w.t.Errorf("tags before %v, after %v", before, after)
			}
			deleteTag(w.t, w.url, name)
		}
	})
}

func TestAdoptStopRestore(t *testing.T) {
	onServices(t, func(w *world) {
		l := w.render(func(m *engine.Model) { m.Aliases = nil })
		w.post("/api/create", map[string]any{"model": "chat-model", "from": baseTag, "parameters": settingsOf(l).parameters})
		if _, err := w.p.Adopt(w.t.Context(), l, 0, engine.InspectOptions{}); err == nil || !strings.Contains(err.Error(), "not loaded") {
			w.t.Fatalf("adopted what does not run: %v", err)
		}
		w.post("/api/generate", map[string]any{"model": "chat-model"})
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
