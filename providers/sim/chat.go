package sim

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

type chatRequest struct {
	sampling
	Messages *[]chatMessage    `json:"messages"`
	Tools    []json.RawMessage `json:"tools"`
	Choice   json.RawMessage   `json:"tool_choice"`
}

type chatMessage struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

// chatBody is an answer in one piece. Fields that are always null are vLLM's
// own; clients see them.
type chatBody struct {
	ID          string       `json:"id"`
	Object      string       `json:"object"`
	Created     int64        `json:"created"`
	Model       string       `json:"model"`
	Choices     []chatChoice `json:"choices"`
	Tier        any          `json:"service_tier"`
	Fingerprint string       `json:"system_fingerprint"`
	Usage       wholeUsage   `json:"usage"`
	Logprobs    any          `json:"prompt_logprobs"`
	PromptIDs   any          `json:"prompt_token_ids"`
	PromptText  any          `json:"prompt_text"`
	KVTransfer  any          `json:"kv_transfer_params"`
	ECTransfer  any          `json:"ec_transfer_params"`
	Metrics     any          `json:"metrics"`
}

type wholeUsage struct {
	usage
	PromptDetails     any `json:"prompt_tokens_details"`
	CompletionDetails any `json:"completion_tokens_details"`
}

type chatChoice struct {
	Index    int        `json:"index"`
	Message  chatAnswer `json:"message"`
	Logprobs any        `json:"logprobs"`
	Finish   string     `json:"finish_reason"`
	Stop     any        `json:"stop_reason"`
	TokenIDs any        `json:"token_ids"`
	Experts  any        `json:"routed_experts"`
}

type chatAnswer struct {
	Role        string `json:"role"`
	Content     string `json:"content"`
	Refusal     any    `json:"refusal"`
	Annotations any    `json:"annotations"`
	Audio       any    `json:"audio"`
	Function    any    `json:"function_call"`
	Reasoning   any    `json:"reasoning"`
}

func (a *api) chatCompletions(w http.ResponseWriter, r *http.Request) {
	var q chatRequest
	if err := readBody(r, &q); err != nil {
		writeError(w, err)
		return
	}
	a.answerChat(w, r, q)
}

func (a *api) answerChat(w http.ResponseWriter, r *http.Request, q chatRequest) {
	g, err := a.prepareChat(q)
	if err != nil {
		writeError(w, err)
		return
	}
	created := time.Now().Unix()
	a.respond(w, r, g, func(text string) any {
		return chatBody{ID: g.id, Object: "chat.completion", Created: created, Model: a.served[0], Fingerprint: a.fingerprint(),
			Choices: []chatChoice{{Message: chatAnswer{Role: "assistant", Content: text}, Finish: g.finish()}},
			Usage:   wholeUsage{usage: g.usage(len(g.answer))}}
	}, a.chatFrames(g, created))
}

func (a *api) prepareChat(q chatRequest) (*generation, *apiError) {
	if err := a.checkModelName(q.Model); err != nil {
		return nil, err
	}
	if err := a.checkTools(q); err != nil {
		return nil, err
	}
	text, err := a.render(q.Messages)
	if err != nil {
		return nil, err
	}
	return a.prepare(q.sampling, a.speaker.count(text), "chatcmpl-", 0)
}

func (a *api) checkTools(q chatRequest) *apiError {
	if choice := string(q.Choice); len(q.Tools) > 0 && choice != `"none"` && !a.autoTools {
		return badRequest("", `"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set`)
	}
	return nil
}

// render makes the prompt. Every model gets the template of the generated ones:
// templates are programs, and the stand-in runs none.
func (a *api) render(messages *[]chatMessage) (string, *apiError) {
	switch {
	case messages == nil:
		return "", invalid("body.messages", "{'type': 'missing', 'loc': 'body.messages', 'msg': 'Field required', 'input': '<dict of 1 items>'}")
	case len(*messages) == 0:
		return "", badRequest("", "Cannot apply chat template to an empty conversation. Provide at least one message.")
	case !hasChatTemplate(a.options, a.leader.model.dir):
		return "", badRequest("", "As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat template "+
			"if the tokenizer does not define one.")
	}
	var b strings.Builder
	for _, m := range *messages {
		text, err := a.contentText(m.Content)
		if err != nil {
			return "", err
		}
		b.WriteString(m.Role + ": " + text + "\n")
	}
	return b.String() + "assistant:", nil
}

// contentText reads a string or a list of parts. A part that is no text needs a
// model that can see or hear; the stand-in lets a model with a vision part
// pass and ignores what it is shown.
func (a *api) contentText(raw json.RawMessage) (string, *apiError) {
	var text string
	if len(raw) == 0 || json.Unmarshal(raw, &text) == nil {
		return text, nil
	}
	var parts []struct{ Type, Text string }
	if err := json.Unmarshal(raw, &parts); err != nil {
		return "", invalid("body.messages", "{'type': 'string_type', 'loc': 'body.messages', 'msg': 'Input should be a valid string'}")
	}
	var all []string
	for _, p := range parts {
		if p.Type != "text" && len(a.leader.model.config.Vision) == 0 {
			return "", badRequest("", "%s is not a multimodal model", a.served[0])
		}
		all = append(all, p.Text)
	}
	return strings.Join(all, "\n"), nil
}
