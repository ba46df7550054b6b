package sim

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// health knows only whether the engine process lives: a hung one is 200.
func (a *api) health(w http.ResponseWriter, _ *http.Request) {
	status := http.StatusOK
	if a.engine.isDead() {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(status)
}

func (a *api) version(w http.ResponseWriter, _ *http.Request) {
	writeBody(w, http.StatusOK, map[string]string{"version": Version})
}

// load is always 0 unless tracking was asked for.
func (a *api) load(w http.ResponseWriter, _ *http.Request) {
	var n int64
	if a.tracksLoad {
		n = a.requests.open()
	}
	writeBody(w, http.StatusOK, map[string]int64{"server_load": n})
}

type modelList struct {
	Object string      `json:"object"`
	Data   []modelCard `json:"data"`
}

type modelCard struct {
	ID         string       `json:"id"`
	Object     string       `json:"object"`
	Created    int64        `json:"created"`
	Owner      string       `json:"owned_by"`
	Root       string       `json:"root"`
	Parent     *string      `json:"parent"`
	MaxLen     *int64       `json:"max_model_len"`
	Permission []permission `json:"permission"`
}

type permission struct {
	ID           string  `json:"id"`
	Object       string  `json:"object"`
	Created      int64   `json:"created"`
	CreateEngine bool    `json:"allow_create_engine"`
	Sampling     bool    `json:"allow_sampling"`
	Logprobs     bool    `json:"allow_logprobs"`
	Search       bool    `json:"allow_search_indices"`
	View         bool    `json:"allow_view"`
	FineTuning   bool    `json:"allow_fine_tuning"`
	Organization string  `json:"organization"`
	Group        *string `json:"group"`
	Blocking     bool    `json:"is_blocking"`
}

func (a *api) models(w http.ResponseWriter, _ *http.Request) {
	list, now := modelList{Object: "list"}, time.Now().Unix()
	for _, name := range a.served {
		list.Data = append(list.Data, modelCard{ID: name, Object: "model", Created: now, Owner: "vllm", Root: a.options.model, MaxLen: &a.maxLen,
			Permission: []permission{{ID: "modelperm-" + randomID(), Object: "model_permission", Created: now,
				Sampling: true, Logprobs: true, View: true, Organization: "*"}}})
	}
	writeBody(w, http.StatusOK, list)
}

type tokenizeRequest struct {
	Model    *string        `json:"model"`
	Prompt   *string        `json:"prompt"`
	Messages *[]chatMessage `json:"messages"`
}

type tokenizeBody struct {
	Count  int   `json:"count"`
	MaxLen int64 `json:"max_model_len"`
	Tokens []int `json:"tokens"`
	Texts  any   `json:"token_strs"`
}

func (a *api) tokenize(w http.ResponseWriter, r *http.Request) {
	var q tokenizeRequest
	err := readBody(r, &q)
	if err == nil {
		err = a.checkModelName(q.Model)
	}
	var text string
	switch {
	case err != nil:
	case q.Prompt != nil:
		text = *q.Prompt
	default:
		text, err = a.render(q.Messages)
	}
	if err != nil {
		writeError(w, err)
		return
	}
	ids := append([]int{}, a.speaker.count(text)...)
	writeBody(w, http.StatusOK, tokenizeBody{len(ids), a.maxLen, ids, nil})
}

func (a *api) detokenize(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Model  *string `json:"model"`
		Tokens []int   `json:"tokens"`
	}
	err := readBody(r, &q)
	if err == nil {
		err = a.checkModelName(q.Model)
	}
	if err != nil {
		writeError(w, err)
		return
	}
	text := ""
	if a.speaker.tokens != nil {
		text = a.speaker.tokens.decode(q.Tokens)
	}
	writeBody(w, http.StatusOK, map[string]string{"prompt": text})
}

// devRoutes exist only with VLLM_SERVER_DEV_MODE=1.
func (a *api) devRoutes() []route {
	type slept struct {
		Status string `json:"status"`
		Level  int    `json:"level"`
	}
	type woken struct {
		Status string `json:"status"`
		Tags   any    `json:"tags"`
	}
	return []route{
		{"GET", "/server_info", func(w http.ResponseWriter, _ *http.Request) {
			writeBody(w, http.StatusOK, map[string]string{"vllm_config": fmt.Sprintf("model=%s, max_seq_len=%d", pythonString(a.options.model), a.maxLen)})
		}},
		{"GET", "/is_sleeping", func(w http.ResponseWriter, _ *http.Request) {
			writeBody(w, http.StatusOK, map[string]bool{"is_sleeping": a.sleeping.Load()})
		}},
		{"POST", "/sleep", func(w http.ResponseWriter, r *http.Request) {
			level, err := strconv.Atoi(r.URL.Query().Get("level"))
			if err != nil {
				level = 1
			}
			a.sleeping.Store(true)
			writeBody(w, http.StatusOK, slept{"sleeping", level})
		}},
		{"POST", "/wake_up", func(w http.ResponseWriter, _ *http.Request) {
			a.sleeping.Store(false)
			writeBody(w, http.StatusOK, woken{Status: "awake"})
		}},
		{"POST", "/reset_prefix_cache", func(w http.ResponseWriter, _ *http.Request) {
			writeBody(w, http.StatusOK, map[string]bool{"success": true})
		}},
	}
}
