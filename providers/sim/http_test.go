package sim

import (
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// masked replaces what differs from answer to answer.
var masked = regexp.MustCompile(`(chatcmpl|cmpl|modelperm)-[0-9a-f]{16}|"created":\d+|vllm-0\.32\.0-[0-9a-f]{8}`)

func mask(text string) string {
	return masked.ReplaceAllStringFunc(text, func(m string) string {
		switch {
		case strings.HasPrefix(m, `"created"`):
			return `"created":T`
		case strings.HasPrefix(m, "vllm-"):
			return "vllm-0.32.0-H"
		}
		return m[:strings.Index(m, "-")] + "-ID"
	})
}

// patientPost is 0 when no answer comes in time.
func (s *server) patientPost(limit time.Duration) int {
	client := http.Client{Timeout: limit}
	r, err := client.Post(s.base+"/v1/chat/completions", "application/json", strings.NewReader(chatTwo))
	if err != nil {
		return 0
	}
	r.Body.Close()
	return r.StatusCode
}

// TestBytes compares answers with those of vLLM 0.32.0 to an equal model.
func TestBytes(t *testing.T) {
	t.Parallel()
	dir := model(t)
	s := launch(t, dir, nil, "--served-model-name", "tiny", "tiny-b", "--max-model-len", "512").ready()
	card := func(name string) string {
		return `{"id":"` + name + `","object":"model","created":T,"owned_by":"vllm","root":"` + dir + `","parent":null,"max_model_len":512,"permission":[{"id":"modelperm-ID","object":"model_permission","created":T,"allow_create_engine":false,"allow_sampling":true,"allow_logprobs":true,"allow_search_indices":false,"allow_view":true,"allow_fine_tuning":false,"organization":"*","group":null,"is_blocking":false}]}`
	}
	head := `data: {"id":"chatcmpl-ID","object":"chat.completion.chunk","created":T,"model":"tiny","choices":`
	long := strings.Repeat("x ", 600)
	tests := []struct {
		method, path, body string
		code               int
		want               string
	}{
		{"GET", "/health", "", 200, ""},
		{"GET", "/ping", "", 200, ""},
		{"POST", "/ping", "", 200, ""},
		{"POST", "/health", "", 405, `{"detail":"Method Not Allowed"}`},
		{"HEAD", "/health", "", 405, ""},
		{"GET", "/version", "", 200, `{"version":"0.32.0"}`},
		{"GET", "/load", "", 200, `{"server_load":0}`},
		{"GET", "/kv_event_sources", "", 200, `{}`},
		{"GET", "/v1/models", "", 200, `{"object":"list","data":[` + card("tiny") + "," + card("tiny-b") + `]}`},
		{"GET", "/v1/models/tiny", "", 404, `{"detail":"Not Found"}`},
		{"GET", "/is_sleeping", "", 404, `{"detail":"Not Found"}`},
		{"GET", "/v1/chat/completions", "", 405, `{"detail":"Method Not Allowed"}`},
		{"POST", "/v1/chat/completions", chatTwo, 200, `{"id":"chatcmpl-ID","object":"chat.completion","created":T,"model":"tiny","choices":[{"index":0,"message":{"role":"assistant","content":" the quick","refusal":null,"annotations":null,"audio":null,"function_call":null,"reasoning":null},"logprobs":null,"finish_reason":"length","stop_reason":null,"token_ids":null,"routed_experts":null}],"service_tier":null,"system_fingerprint":"vllm-0.32.0-H","usage":{"prompt_tokens":25,"total_tokens":27,"completion_tokens":2,"prompt_tokens_details":null,"completion_tokens_details":null},"prompt_logprobs":null,"prompt_token_ids":null,"prompt_text":null,"kv_transfer_params":null,"ec_transfer_params":null,"metrics":null}`},
		{"POST", "/v1/chat/completions", `{"messages":[{"role":"user","content":"the quick"}],"max_tokens":2,"stream":true}`, 200,
			head + `[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"prompt_token_ids":null,"prompt_text":null}` + "\n\n" +
				head + `[{"index":0,"delta":{"content":" the"},"logprobs":null,"finish_reason":null,"token_ids":null}]}` + "\n\n" +
				head + `[{"index":0,"delta":{"content":" quick"},"logprobs":null,"finish_reason":"length","stop_reason":null,"token_ids":null}],"system_fingerprint":"vllm-0.32.0-H"}` + "\n\ndata: [DONE]\n\n"},
		{"POST", "/v1/chat/completions", `{"messages":[{"role":"user","content":"the quick"}],"max_tokens":1,"stream":true,"stream_options":{"include_usage":true}}`, 200,
			head + `[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"prompt_token_ids":null,"prompt_text":null}` + "\n\n" +
				head + `[{"index":0,"delta":{"content":" the"},"logprobs":null,"finish_reason":"length","stop_reason":null,"token_ids":null}]}` + "\n\n" +
				head + `[],"usage":{"prompt_tokens":25,"total_tokens":26,"completion_tokens":1},"system_fingerprint":"vllm-0.32.0-H"}` + "\n\ndata: [DONE]\n\n"},
		{"POST", "/v1/completions", `{"model":"tiny-b","prompt":"the quick"}`, 200, `{"id":"cmpl-ID","object":"text_completion","created":T,"model":"tiny","choices":[{"index":0,"text":" the quick brown fox","logprobs":null,"finish_reason":"stop","stop_reason":null,"token_ids":null,"prompt_logprobs":null,"prompt_token_ids":null,"routed_experts":null}],"service_tier":null,"system_fingerprint":"vllm-0.32.0-H","usage":{"prompt_tokens":8,"total_tokens":13,"completion_tokens":5,"prompt_tokens_details":null,"completion_tokens_details":null},"kv_transfer_params":null,"ec_transfer_params":null,"metrics":null}`},
		{"POST", "/v1/completions", `{"prompt":"the quick","max_tokens":1,"stream":true}`, 200, `data: {"id":"cmpl-ID","object":"text_completion","created":T,"model":"tiny","choices":[{"index":0,"text":" the","logprobs":null,"finish_reason":"length","stop_reason":null,"prompt_token_ids":null,"token_ids":null}],"system_fingerprint":"vllm-0.32.0-H"}` + "\n\ndata: [DONE]\n\n"},
		{"POST", "/tokenize", `{"model":"tiny","prompt":" the quick brown"}`, 200, `{"count":15,"max_model_len":512,"tokens":[35,119,259,35,116,120,108,102,110,35,101,117,114,122,113],"token_strs":null}`},
		{"POST", "/detokenize", `{"model":"tiny","tokens":[261,262]}`, 200, `{"prompt":" quick brown"}`},
		{"POST", "/v1/chat/completions", `{"model":"nope","messages":[{"role":"user","content":"x"}]}`, 404, "{\"error\":{\"message\":\"The model `nope` does not exist. Valid aliases: tiny, tiny-b.\",\"type\":\"NotFoundError\",\"param\":\"model\",\"code\":404}}"},
		{"POST", "/v1/chat/completions", `{"messages":[]}`, 400, `{"error":{"message":"Cannot apply chat template to an empty conversation. Provide at least one message.","type":"BadRequestError","param":null,"code":400}}`},
		{"POST", "/v1/chat/completions", `{"model":"tiny"}`, 400, `{"error":{"message":"1 validation error:\n  {'type': 'missing', 'loc': 'body.messages', 'msg': 'Field required', 'input': '<dict of 1 items>'}","type":"Bad Request","param":"body.messages","code":400}}`},
		{"POST", "/v1/chat/completions", `{"model":"tiny",`, 400, `{"error":{"message":"1 validation error:\n  {'type': 'json_invalid', 'loc': 'body.16', 'msg': 'JSON decode error', 'input': '<dict of 0 items>', 'ctx': {'error': 'Expecting property name enclosed in double quotes'}}","type":"Bad Request","param":"body.16","code":400}}`},
		{"POST", "/v1/completions", `{"model":"tiny"}`, 400, `{"error":{"message":"Either prompt or prompt_embeds must be provided and non-empty. (parameter=prompt)","type":"BadRequestError","param":"prompt","code":400}}`},
		{"POST", "/v1/chat/completions", `{"max_tokens":0,"messages":[{"role":"user","content":"x"}]}`, 400, `{"error":{"message":"max_tokens must be at least 1, got 0. (parameter=max_tokens, value=0)","type":"BadRequestError","param":"max_tokens","code":400}}`},
		{"POST", "/v1/chat/completions", `{"max_tokens":"abc","messages":[{"role":"user","content":"x"}]}`, 400, `{"error":{"message":"1 validation error:\n  {'type': 'int_parsing', 'loc': 'body.max_tokens', 'msg': 'Input should be a valid integer, unable to parse string as an integer', 'input': 'abc'}","type":"Bad Request","param":"body.max_tokens","code":400}}`},
		{"POST", "/v1/chat/completions", `{"temperature":-1,"messages":[{"role":"user","content":"x"}]}`, 400, `{"error":{"message":"temperature must be non-negative, got -1.0. (parameter=temperature, value=-1.0)","type":"BadRequestError","param":"temperature","code":400}}`},
		{"POST", "/v1/chat/completions", `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}]}`, 400, `{"error":{"message":"tiny is not a multimodal model","type":"BadRequestError","param":null,"code":400}}`},
		{"POST", "/v1/chat/completions", `{"tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"messages":[{"role":"user","content":"x"}]}`, 400, `{"error":{"message":"\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set","type":"BadRequestError","param":null,"code":400}}`},
		{"POST", "/v1/chat/completions", `{"messages":[{"role":"user","content":"` + long + `"}]}`, 400, `{"error":{"message":"This model's maximum context length is 512 tokens. However, your prompt contains at least 513 input tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input prompt. (parameter=input_tokens, value=513)","type":"BadRequestError","param":"input_tokens","code":400}}`},
	}
	for _, test := range tests {
		r := s.do(test.method, test.path, test.body, nil)
		body := mask(readAll(t, r.Body))
		r.Body.Close()
		if r.StatusCode != test.code || body != test.want {
			t.Errorf("%s %s %.80s: %d\n%s\nwant %d\n%s", test.method, test.path, test.body, r.StatusCode, body, test.code, test.want)
		}
		if r.Header.Get("Server") != "uvicorn" || r.Header.Get("Vary") != "Origin" {
			t.Errorf("%s %s: headers %v", test.method, test.path, r.Header)
		}
	}
}

func (s *server) do(method, path, body string, headers map[string]string) *http.Response {
	s.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	q, err := http.NewRequest(method, s.base+path, reader)
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	for k, v := range headers {
		q.Header.Set(k, v)
	}
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func TestOtherContentType(t *testing.T) {
	t.Parallel()
	s := launch(t, model(t), nil).ready()
	r := s.do("POST", "/v1/chat/completions", chatTwo, map[string]string{"Content-Type": "text/plain"})
	defer r.Body.Close()
	if body := readAll(t, r.Body); r.StatusCode != 400 || !strings.Contains(body, "Unsupported Media Type: Only 'application/json' is allowed") {
		t.Errorf("%d %s", r.StatusCode, body)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	for name, with := range map[string]struct{ env, flags []string }{
		"flag":        {nil, []string{"--api-key", "k1", "k2"}},
		"environment": {[]string{"VLLM_API_KEY=k1"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := launch(t, model(t), with.env, with.flags...).ready()
			for _, test := range []struct {
				method, path, authorization string
				want                        int
			}{
				{"GET", "/v1/models", "", 401},
				{"GET", "/v1/models", "Bearer nope", 401},
				{"GET", "/v1/models", "Bearer k1", 200},
				{"GET", "/v1/models", "bearer k1", 200},
				{"GET", "/v1/nope", "", 401},
				{"OPTIONS", "/v1/models", "", 405},
				{"GET", "/health", "", 200},
				{"GET", "/metrics", "", 200},
				{"POST", "/invocations", "", 200},
			} {
				body := ""
				if test.method == "POST" {
					body = chatTwo
				}
				r := s.do(test.method, test.path, body, map[string]string{"Authorization": test.authorization})
				text := readAll(t, r.Body)
				r.Body.Close()
				if r.StatusCode != test.want || test.want == 401 && text != `{"error":"Unauthorized"}` {
					t.Errorf("%s %s with %q: %d %s, want %d", test.method, test.path, test.authorization, r.StatusCode, text, test.want)
				}
			}
			if strings.Contains(s.stdout(), "k1'") {
				t.Error("the log shows the key")
			}
		})
	}
}

func TestModelWithoutChatTemplate(t *testing.T) {
	t.Parallel()
	dir := model(t)
	overwrite("tokenizer_config.json", "{}")(t, dir)
	s := launch(t, dir, nil).ready()
	if code, body := s.post("/v1/chat/completions", chatTwo); code != 400 || !strings.Contains(body, "As of transformers v4.44, default chat template is no longer allowed") {
		t.Errorf("%d %s", code, body)
	}
	if code, _ := s.post("/v1/completions", `{"prompt":"x"}`); code != 200 {
		t.Errorf("completion: %d, want 200", code)
	}
}

func TestModelThatCannotBeLookedUp(t *testing.T) {
	t.Parallel()
	dir := model(t)
	overwrite("tokenizer.json", `{"model":{"type":"Unigram"}}`)(t, dir)
	s := launch(t, dir, nil).ready()
	if code, body := s.post("/v1/chat/completions", `{"messages":[{"role":"user","content":"x"}]}`); code != 200 || !strings.Contains(body, "stand-in for vLLM: no model was run.") {
		t.Errorf("%d %s", code, body)
	}
}

func TestDevelopmentRoutes(t *testing.T) {
	t.Parallel()
	s := launch(t, model(t), []string{"VLLM_SERVER_DEV_MODE=1"}).ready()
	if code, body := s.post("/sleep?level=1", "{}"); code != 200 || body != `{"status":"sleeping","level":1}` {
		t.Errorf("sleep: %d %s", code, body)
	}
	if code, body := s.post("/wake_up", "{}"); code != 200 || body != `{"status":"awake","tags":null}` {
		t.Errorf("wake up: %d %s", code, body)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	s := launch(t, model(t), nil).ready()
	s.post("/v1/chat/completions", chatTwo)
	r := s.do("GET", "/metrics", "", nil)
	defer r.Body.Close()
	lines := strings.Split(readAll(t, r.Body), "\n")
	for _, want := range []string{
		`vllm:num_requests_running{engine="0",model_name="tiny"} 0.0`,
		`vllm:prompt_tokens_total{engine="0",model_name="tiny"} 25.0`,
		`vllm:generation_tokens_total{engine="0",model_name="tiny"} 2.0`,
		`vllm:request_success_total{engine="0",finished_reason="length",model_name="tiny"} 1.0`,
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %s", want)
		}
	}
}
