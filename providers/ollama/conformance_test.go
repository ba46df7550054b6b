package ollama

import (
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/providers/ollama/ollamatest"
	"github.com/loadoutdev/loadout/providers/providertest"
	"github.com/loadoutdev/loadout/providers/sim"
)

const baseTag = "tiny-base"

func TestConformanceFake(t *testing.T) {
	providertest.Run(t, providertest.Suite{New: func(t *testing.T) providertest.Fixture {
		s := fake(t)
		f := fixture(s.URL)
		f.Fail = func(*engine.Model) {
			s.Behave(func(b *ollamatest.Behavior) { b.LoadError = "llama-server process has terminated:\nexit status 1" })
		}
		f.Slow = func(*engine.Model) {
			s.Behave(func(b *ollamatest.Behavior) { b.LoadDelay = 10 * time.Second })
		}
		return f
	}})
}

func TestConformanceReal(t *testing.T) {
	url := ollamatest.Real(t)
	importTiny(t, url)
	providertest.Run(t, providertest.Suite{New: func(t *testing.T) providertest.Fixture {
		f := fixture(url)
		// Trained for 2048 tokens: Ollama loads, with less than was declared.
		f.Fail = func(m *engine.Model) { m.Args["num_ctx"] = int64(4096) }
		return f
	}})
}

// fake is a service that has the base model.
func fake(t *testing.T) *ollamatest.Server {
	s := ollamatest.Start()
	t.Cleanup(s.Close)
	s.Install(baseTag, ollamatest.Model{License: "MIT License\nCopyright …", Parameters: map[string]any{"temperature": 0.0}})
	return s
}

func importTiny(t *testing.T, url string) {
	dir := filepath.Join(t.TempDir(), "weights")
	if err := sim.WriteWeights(dir, sim.Weights{Words: "alpha reporting for duty"}); err != nil {
		t.Fatal(err)
	}
	ollamatest.Import(t, url, baseTag, dir, map[string]any{"num_thread": 1, "temperature": 0})
}

func fixture(url string) providertest.Fixture {
	c := New().client(url)
	return providertest.Fixture{
		Provider: New(),
		Model:    func() *engine.Model { return chatModel(url) },
		Told:     func(m *engine.Model) { m.Args["temperature"] = 0.25 },
		Untold:   func(m *engine.Model) { m.Roles, m.GPUs = map[string]int64{"chat": 3}, []string{"main"} },
		Kill:     func(t *testing.T, in engine.Instance) { unloadNow(t, c, in.Launch.Served[0]) },
		Stranger: func(t *testing.T, in engine.Instance) (engine.Instance, func() bool) {
			name := in.Launch.Served[0]
			ollamatest.Post(t, url+"/api/create", map[string]any{"model": name, "from": baseTag, "system": "You are not ours."})
			ollamatest.Post(t, url+"/api/generate", map[string]any{"model": name})
			t.Cleanup(func() {
				unloadNow(t, c, name)
				deleteTag(t, url, name)
			})
			return in, func() bool {
				s, err := c.look(t.Context(), in.Launch)
				return err == nil && s.tag != nil && s.runner != nil
			}
		},
		Left: func(t *testing.T) []string { return left(t, c) },
	}
}

func chatModel(url string) *engine.Model {
	return &engine.Model{Name: "chat-model", Spec: engine.Spec{
		Source: Scheme + baseTag, Backend: "ollama", URL: url, ServedName: "chat-model", Host: "127.0.0.1",
		Aliases: []string{"chat"},
		Args:    map[string]any{"num_ctx": int64(256), "stop": []any{"<stop>", `a "b"`}, "top_p": 0.9},
	}}
}

func unloadNow(t *testing.T, c *client, name string) {
	t.Helper()
	if err := c.unload(context.WithoutCancel(t.Context()), name); err != nil {
		t.Fatal(err)
	}
	time.Sleep(150 * time.Millisecond) // the answer comes before the unloading
}

func deleteTag(t *testing.T, url, name string) {
	b, err := json.Marshal(map[string]any{"model": name})
	if err != nil {
		t.Fatal(err)
	}
	ollamatest.Call(t, http.MethodDelete, url+"/api/delete", b)
}

// left lists tags besides the base, and runners.
func left(t *testing.T, c *client) []string {
	t.Helper()
	tags, err := c.tags(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	runners, err := c.running(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, tag := range tags {
		if !sameName(tag.Name, baseTag) {
			out = append(out, "tag "+tag.Name)
		}
	}
	for _, r := range runners {
		out = append(out, "runner "+r.Name)
	}
	return out
}
