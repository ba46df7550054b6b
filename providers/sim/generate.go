package sim

import (
	"context"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"

	"crypto/rand"
)

// sampling are the fields that all generation requests share. The rest of
// OpenAI's fields is accepted and ignored, as unknown fields are.
type sampling struct {
	Model       *string  `json:"model"`
	MaxTokens   *int64   `json:"max_tokens"`
	NewMax      *int64   `json:"max_completion_tokens"`
	Temperature *float64 `json:"temperature"`
	Stream      bool     `json:"stream"`
	Options     struct {
		Usage bool `json:"include_usage"`
	} `json:"stream_options"`
}

// generation is one checked request: what to say and how.
type generation struct {
	sampling
	id     string
	prompt []int
	answer []token
}

type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Total      int `json:"total_tokens"`
	Completion int `json:"completion_tokens"`
}

func (g *generation) usage(made int) usage {
	return usage{len(g.prompt), len(g.prompt) + made, made}
}

// finish is "stop" when the model ended its text and "length" when it was cut.
func (g *generation) finish() string {
	if n := len(g.answer); n > 0 && g.answer[n-1].end {
		return "stop"
	}
	return "length"
}

// prepare checks what does not depend on the kind of request and looks the
// answer up. fallback is the number of tokens when the request names none; 0 is
// as many as fit.
func (a *api) prepare(s sampling, prompt []int, prefix string, fallback int64) (*generation, *apiError) {
	if err := a.checkModelName(s.Model); err != nil {
		return nil, err
	}
	room := a.maxLen - int64(len(prompt))
	if room < 1 {
		return nil, badRequest("input_tokens", "This model's maximum context length is %d tokens. However, your prompt contains at least %d input tokens, "+
			"which exceeds this limit even without any output tokens. Please reduce the length of the input prompt. (parameter=input_tokens, value=%d)",
			a.maxLen, a.maxLen+1, a.maxLen+1)
	}
	limit, err := s.limit(fallback)
	if err != nil {
		return nil, err
	}
	if s.Temperature != nil && *s.Temperature < 0 {
		t := pythonFloat(*s.Temperature)
		return nil, badRequest("temperature", "temperature must be non-negative, got %s. (parameter=temperature, value=%s)", t, t)
	}
	if limit == 0 || limit > room {
		limit = room
	}
	return &generation{sampling: s, id: prefix + randomID(), prompt: prompt, answer: a.speaker.answer(prompt, int(limit))}, nil
}

func (s sampling) limit(fallback int64) (int64, *apiError) {
	asked := s.MaxTokens
	if s.NewMax != nil {
		asked = s.NewMax
	}
	if asked == nil {
		return fallback, nil
	}
	if *asked < 1 {
		return 0, badRequest("max_tokens", "max_tokens must be at least 1, got %d. (parameter=max_tokens, value=%d)", *asked, *asked)
	}
	return *asked, nil
}

func (a *api) checkModelName(name *string) *apiError {
	if name == nil || *name == "" {
		return nil
	}
	for _, s := range a.served {
		if s == *name {
			return nil
		}
	}
	message := fmt.Sprintf("The model `%s` does not exist. Valid aliases: %s.", *name, strings.Join(a.served, ", "))
	return &apiError{message, "NotFoundError", optional("model"), http.StatusNotFound}
}

// produce makes the tokens one after the other in the engine and hands each to
// emit. It returns how many were made.
func (a *api) produce(ctx context.Context, g *generation, emit func(token, bool)) (int, error) {
	a.requests.n.Add(1)
	defer a.requests.n.Add(-1)
	for i, t := range g.answer {
		if err := a.engine.step(ctx); err != nil {
			return i, err
		}
		emit(t, i == len(g.answer)-1)
	}
	a.stats.finished(len(g.prompt), len(g.answer), g.finish())
	return len(g.answer), nil
}

// respond answers a request in one piece or as a stream. whole builds the one
// piece, frame the piece of a stream for one token.
func (a *api) respond(w http.ResponseWriter, r *http.Request, g *generation, whole func(text string) any, frames framer) {
	if g.Stream {
		a.stream(w, r, g, frames)
		return
	}
	var text strings.Builder
	if _, err := a.produce(r.Context(), g, func(t token, _ bool) { text.WriteString(t.text) }); err != nil {
		writeError(w, engineError(err))
		return
	}
	writeBody(w, http.StatusOK, whole(text.String()))
}

// framer builds the frames of a stream.
type framer struct {
	first func() any // nil: none
	token func(t token, last bool) any
	usage func(u usage) any
}

func (a *api) stream(w http.ResponseWriter, r *http.Request, g *generation, f framer) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	send := func(body []byte) {
		fmt.Fprintf(w, "data: %s\n\n", body)
		_ = http.NewResponseController(w).Flush() // a client that has gone is seen by the context
	}
	begun := false
	begin := func() {
		if !begun && f.first != nil {
			send(compact(f.first()))
		}
		begun = true
	}
	made, err := a.produce(r.Context(), g, func(t token, last bool) {
		begin()
		send(compact(f.token(t, last)))
	})
	switch {
	case err != nil:
		send(compact(envelope{engineError(err)}))
	case g.Options.Usage:
		send(compact(f.usage(g.usage(made))))
	}
	send([]byte("[DONE]"))
}

// fingerprint is the same for equal settings, as vLLM's hash of its
// configuration is; the digits are not the same as vLLM's.
func (a *api) fingerprint() string {
	h := fnv.New32a()
	fmt.Fprintln(h, a.model.dir, a.maxLen, a.dtype, a.tensors, a.block)
	return fmt.Sprintf("vllm-%s-%08x", Version, h.Sum32())
}

func randomID() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
