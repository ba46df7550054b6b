package main

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/loadoutdev/loadout/providers/ollama/ollamatest"
	"github.com/loadoutdev/loadout/providers/sim"
)

// TestOllamaScripts tells the stories in testdata/ollama with a service that
// keeps Ollama's documented contract; make e2e-ollama tells them with a real one.
func TestOllamaScripts(t *testing.T) {
	testscript.Run(t, ollamaParams(func(*testscript.Env) (string, error) {
		s := ollamatest.Start()
		t.Cleanup(s.Close)
		s.Install("tiny-base", ollamatest.Model{Parameters: map[string]any{"num_thread": 1}})
		return s.URL, nil
	}))
}

// realOllama starts the real service with one tiny model in it.
func realOllama(t *testing.T, binary string) func(*testscript.Env) (string, error) {
	return func(env *testscript.Env) (string, error) {
		t.Setenv(ollamatest.BinaryVariable, binary)
		url := ollamatest.Real(t)
		dir := env.WorkDir + "/weights-of-base"
		if err := sim.WriteWeights(dir, sim.Weights{}); err != nil {
			return "", err
		}
		ollamatest.Import(t, url, "tiny-base", dir, map[string]any{"num_thread": 1})
		return url, nil
	}
}

func ollamaParams(start func(*testscript.Env) (string, error)) testscript.Params {
	p := params("testdata/ollama", func(env *testscript.Env) error {
		url, err := start(env)
		if err != nil {
			return err
		}
		env.Setenv("OLLAMA_URL", url)
		env.Setenv("LOADOUT_VAR_url", url)
		return nil
	})
	p.Cmds["ollama-has"] = func(ts *testscript.TestScript, neg bool, args []string) {
		expect(ts, neg, "installed", slices.Contains(names(ts, "/api/tags"), args[0]))
	}
	p.Cmds["ollama-loaded"] = func(ts *testscript.TestScript, neg bool, args []string) {
		expect(ts, neg, "loaded", slices.Contains(names(ts, "/api/ps"), args[0]))
	}
	p.Cmds["ollama-shows"] = func(ts *testscript.TestScript, neg bool, args []string) {
		text := ask(ts, "/api/show", map[string]any{"model": args[0]})
		var doc struct{ Parameters string }
		ts.Check(json.Unmarshal([]byte(text), &doc))
		words := strings.Fields(doc.Parameters)
		i := slices.Index(words, args[1])
		expect(ts, neg, doc.Parameters, i >= 0 && i+1 < len(words) && words[i+1] == args[2])
	}
	p.Cmds["ollama-recreate"] = func(ts *testscript.TestScript, _ bool, args []string) {
		ask(ts, "/api/create", map[string]any{"model": args[0], "from": "tiny-base", "parameters": map[string]any{"num_ctx": 300}, "stream": false})
	}
	p.Cmds["ollama-delete"] = func(ts *testscript.TestScript, _ bool, args []string) {
		send(ts, http.MethodDelete, "/api/delete", map[string]any{"model": args[0]})
	}
	p.Cmds["ollama-unload"] = func(ts *testscript.TestScript, _ bool, args []string) {
		ask(ts, "/api/generate", map[string]any{"model": args[0], "keep_alive": 0})
		for range 200 {
			if !slices.Contains(names(ts, "/api/ps"), args[0]) {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		ts.Fatalf("%s stays loaded", args[0])
	}
	return p
}

func expect(ts *testscript.TestScript, neg bool, what string, got bool) {
	if got == neg {
		ts.Fatalf("%s: %v", what, got)
	}
}

// names lists the models that an endpoint names, without the tag :latest.
func names(ts *testscript.TestScript, path string) []string {
	var doc struct{ Models []struct{ Name string } }
	ts.Check(json.Unmarshal([]byte(send(ts, http.MethodGet, path, nil)), &doc))
	var out []string
	for _, m := range doc.Models {
		out = append(out, strings.TrimSuffix(m.Name, ":latest"))
	}
	return out
}

func ask(ts *testscript.TestScript, path string, body any) string {
	return send(ts, http.MethodPost, path, body)
}

func send(ts *testscript.TestScript, method, path string, body any) string {
	raw, err := json.Marshal(body)
	ts.Check(err)
	req, err := http.NewRequest(method, ts.Getenv("OLLAMA_URL")+path, strings.NewReader(string(raw)))
	ts.Check(err)
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if resp.StatusCode != http.StatusOK {
		ts.Fatalf("%s %s: %s %s", method, path, resp.Status, answer)
	}
	return string(answer)
}
