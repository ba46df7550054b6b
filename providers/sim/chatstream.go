package sim

// chunk is one frame of a streamed chat. A pointer field that is nil is left
// out, a field of type any is null.
type chunk struct {
	ID          string `json:"id"`
	Object      string `json:"object"`
	Created     int64  `json:"created"`
	Model       string `json:"model"`
	Choices     []any  `json:"choices"`
	Usage       *usage `json:"usage,omitempty"`
	Fingerprint string `json:"system_fingerprint,omitempty"`
	*promptEcho        // in the first frame only
}

type promptEcho struct {
	PromptIDs  any `json:"prompt_token_ids"`
	PromptText any `json:"prompt_text"`
}

type firstChoice struct {
	Index    int        `json:"index"`
	Delta    firstDelta `json:"delta"`
	Logprobs any        `json:"logprobs"`
	Finish   any        `json:"finish_reason"`
}

type firstDelta struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type delta struct {
	Content string `json:"content"`
}

type tokenChoice struct {
	Index    int   `json:"index"`
	Delta    delta `json:"delta"`
	Logprobs any   `json:"logprobs"`
	Finish   any   `json:"finish_reason"`
	TokenIDs any   `json:"token_ids"`
}

type lastChoice struct {
	Index    int    `json:"index"`
	Delta    delta  `json:"delta"`
	Logprobs any    `json:"logprobs"`
	Finish   string `json:"finish_reason"`
	Stop     any    `json:"stop_reason"`
	TokenIDs any    `json:"token_ids"`
}

// chatFrames builds the frames of a streamed chat. The fingerprint rides on the
// last frame that carries anything.
func (a *api) chatFrames(g *generation, created int64) framer {
	frame := func(choices ...any) chunk {
		if choices == nil {
			choices = []any{}
		}
		return chunk{ID: g.id, Object: "chat.completion.chunk", Created: created, Model: a.served[0], Choices: choices}
	}
	return framer{
		first: func() any {
			c := frame(firstChoice{Delta: firstDelta{Role: "assistant"}})
			c.promptEcho = &promptEcho{}
			return c
		},
		token: func(t token, last bool) any {
			if !last {
				return frame(tokenChoice{Delta: delta{t.text}})
			}
			c := frame(lastChoice{Delta: delta{t.text}, Finish: g.finish()})
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
