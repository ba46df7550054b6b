package vllm

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// client asks one server. It goes through no proxy, follows no redirect and
// keeps no connection open: a server that ends waits for open connections.
type client struct {
	base string
	key  string
	http *http.Client
}

func newClient(base, key string) *client {
	return &client{base: strings.TrimSuffix(base, "/"), key: key, http: &http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true,
			// The certificate names the public host, not the loopback address
			// that we ask; the socket is proved to be the server's by /proc.
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is a response that was read whole, or as far as anybody needs it.
type answer struct {
	status int
	body   []byte
}

func (a answer) Error() string {
	body := strings.Join(strings.Fields(string(a.body)), " ")
	var e struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(a.body, &e) == nil && e.Error.Message != "" {
		body = e.Error.Message
	}
	return clip(fmt.Sprintf("HTTP %d: %s", a.status, body), 300)
}

// noRoute: the server has no such route, which is not the same as a model that
// it does not know.
func (a answer) noRoute() bool {
	return a.status == http.StatusNotFound && bytes.Contains(a.body, []byte(`"detail"`))
}

func (c *client) do(ctx context.Context, method, path string, body any) (answer, error) {
	var payload io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, payload)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	return answer{resp.StatusCode, b}, err
}

// listed is one entry of /v1/models. MaxModelLen is 0 when it is not said.
type listed struct {
	ID          string `json:"id"`
	Root        string `json:"root"`
	MaxModelLen int64  `json:"max_model_len"`
}

// models asks which names the server answers to.
func (c *client) models(ctx context.Context) ([]listed, error) {
	a, err := c.do(ctx, http.MethodGet, "/v1/models", nil)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, a
	}
	var list struct {
		Data []listed `json:"data"`
	}
	if err := json.Unmarshal(a.body, &list); err != nil {
		return nil, fmt.Errorf("/v1/models: %w", err)
	}
	return list.Data, nil
}

// healthy is false when the server says that its engine is dead. True proves
// nothing about the engine.
func (c *client) healthy(ctx context.Context) (bool, error) {
	a, err := c.do(ctx, http.MethodGet, "/health", nil)
	return err == nil && a.status != http.StatusServiceUnavailable, err
}

// errNoGeneration is a server without a route that generates: a pooling model.
var errNoGeneration = errors.New("the server has no route that generates")

// generate asks for one token.
func (c *client) generate(ctx context.Context, model string) error {
	err := c.oneToken(ctx, "/v1/completions", map[string]any{
		"model": model, "prompt": "a", "max_tokens": 1, "temperature": 0,
	})
	var a answer
	if !errors.As(err, &a) || a.status >= 500 {
		return err
	}
	chat := c.oneToken(ctx, "/v1/chat/completions", map[string]any{
		"model": model, "messages": []any{map[string]any{"role": "user", "content": "a"}}, "max_tokens": 1, "temperature": 0,
	})
	var b answer
	if !errors.As(chat, &b) || !b.noRoute() {
		return chat
	}
	if a.noRoute() {
		return errNoGeneration
	}
	return err
}

func (c *client) oneToken(ctx context.Context, path string, body any) error {
	a, err := c.do(ctx, http.MethodPost, path, body)
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return a
	}
	var out struct {
		Choices []any `json:"choices"`
		Usage   *struct {
			Tokens int `json:"completion_tokens"`
		} `json:"usage"`
	}
	if err := json.Unmarshal(a.body, &out); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(out.Choices) == 0 || out.Usage != nil && out.Usage.Tokens == 0 {
		return fmt.Errorf("%s: the answer has no token", path)
	}
	return nil
}

// tokens is how many the server has processed in all, by its metrics; -1 when it
// does not say. vLLM counts at every step of its engine, so a count that stands
// still while requests are open is an engine that hangs.
func (c *client) tokens(ctx context.Context) float64 {
	a, err := c.do(ctx, http.MethodGet, "/metrics", nil)
	if err != nil || a.status != http.StatusOK {
		return -1
	}
	var sum float64
	for line := range strings.Lines(string(a.body)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		if !strings.HasPrefix(name, "vllm:generation_tokens_total{") && !strings.HasPrefix(name, "vllm:prompt_tokens_total{") {
			continue
		}
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			sum += n
		}
	}
	return sum
}

// missing are the names that the server should list and does not.
func missing(want []string, have []listed) []string {
	var out []string
	for _, name := range want {
		if !slices.ContainsFunc(have, func(l listed) bool { return l.ID == name }) {
			out = append(out, name)
		}
	}
	return out
}

func ids(have []listed) []string {
	out := make([]string, len(have))
	for i, l := range have {
		out[i] = l.ID
	}
	return out
}

func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit-3], "") + "..."
}
