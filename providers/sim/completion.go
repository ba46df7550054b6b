package sim

import (
	"encoding/json"
	"net/http"
	"time"
)

type completionRequest struct {
	sampling
	Prompt json.RawMessage `json:"prompt"`
}

type completionBody struct {
	ID          string             `json:"id"`
	Object      string             `json:"object"`
	Created     int64              `json:"created"`
	Model       string             `json:"model"`
	Choices     []completionChoice `json:"choices"`
	Tier        any                `json:"service_tier"`
	Fingerprint string             `json:"system_fingerprint"`
	Usage       wholeUsage         `json:"usage"`
	KVTransfer  any                `json:"kv_transfer_params"`
	ECTransfer  any                `json:"ec_transfer_params"`
	Metrics     any                `json:"metrics"`
}

type completionChoice struct {
	Index     int    `json:"index"`
	Text      string `json:"text"`
	Logprobs  any    `json:"logprobs"`
	Finish    string `json:"finish_reason"`
	Stop      any    `json:"stop_reason"`
	TokenIDs  any    `json:"token_ids"`
	PromptLog any    `json:"prompt_logprobs"`
	PromptIDs any    `json:"prompt_token_ids"`
	Experts   any    `json:"routed_experts"`
}

// textChoice is the choice in a frame of a stream.
type textChoice struct {
	Index     int    `json:"index"`
	Text      string `json:"text"`
	Logprobs  any    `json:"logprobs"`
	Finish    any    `json:"finish_reason"`
	Stop      any    `json:"stop_reason"`
	PromptIDs any    `json:"prompt_token_ids"`
	TokenIDs  any    `json:"token_ids"`
}

func (a *api) completions(w http.ResponseWriter, r *http.Request) {
	var q completionRequest
	if err := readBody(r, &q); err != nil {
		writeError(w, err)
		return
	}
	a.answerCompletion(w, r, q)
}

func (a *api) answerCompletion(w http.ResponseWriter, r *http.Request, q completionRequest) {
	prompt, err := a.promptTokens(q.Prompt)
	var g *generation
	if err == nil {
		g, err = a.prepare(q.sampling, prompt, "cmpl-", 16)
	}
	if err != nil {
		writeError(w, err)
		return
	}
	created := time.Now().Unix()
	a.respond(w, r, g, func(text string) any {
		return completionBody{ID: g.id, Object: "text_completion", Created: created, Model: a.served[0], Fingerprint: a.fingerprint(),
			Choices: []completionChoice{{Text: text, Finish: g.finish()}}, Usage: wholeUsage{usage: g.usage(len(g.answer))}}
	}, a.completionFrames(g, created))
}

func (a *api) completionFrames(g *generation, created int64) framer {
	frame := func(choices ...any) chunk {
		if choices == nil {
			choices = []any{}
		}
		return chunk{ID: g.id, Object: "text_completion", Created: created, Model: a.served[0], Choices: choices}
	}
	return framer{
		token: func(t token, last bool) any {
			choice := textChoice{Text: t.text}
			if !last {
				return frame(choice)
			}
			choice.Finish = g.finish()
			c := frame(choice)
			if !g.Options.Usage {
				c.Fingerprint = a.fingerprint()
			}
			return c
		},
		usage: func(u usage) any {
			c := frame()
			c.Usage, c.Fingerprint = &u, a.fingerprint()
			return c
		},
	}
}

// promptTokens reads a text, a list with one text, or a list of ids.
func (a *api) promptTokens(raw json.RawMessage) ([]int, *apiError) {
	var text string
	var texts []string
	var ids []int
	switch {
	case json.Unmarshal(raw, &text) == nil && text != "":
		return a.speaker.count(text), nil
	case json.Unmarshal(raw, &texts) == nil && len(texts) == 1:
		return a.speaker.count(texts[0]), nil
	case len(texts) > 1:
		return nil, badRequest("prompt", "the stand-in for vLLM answers one prompt a request, got %d", len(texts))
	case json.Unmarshal(raw, &ids) == nil && len(ids) > 0:
		return ids, nil
	}
	return nil, badRequest("prompt", "Either prompt or prompt_embeds must be provided and non-empty. (parameter=prompt)")
}

// invocations takes the body of a chat or of a completion and, as in vLLM,
// needs no key.
func (a *api) invocations(w http.ResponseWriter, r *http.Request) {
	var q struct {
		chatRequest
		Prompt json.RawMessage `json:"prompt"`
	}
	if err := readBody(r, &q); err != nil {
		writeError(w, err)
		return
	}
	if q.Prompt != nil {
		a.answerCompletion(w, r, completionRequest{sampling: q.sampling, Prompt: q.Prompt})
		return
	}
	a.answerChat(w, r, q.chatRequest)
}
