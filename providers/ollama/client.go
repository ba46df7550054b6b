package ollama

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// client speaks the management API of one service (ollama docs/api.md).
type client struct {
	base string // URL without a final slash
	http *http.Client
}

// maxAnswer bounds what is read of one answer; /api/show of a large model is
// some hundred KiB.
const maxAnswer = 64 << 20

// answerTime is how long a service that works may take for a question that it
// answers from memory.
const answerTime = 5 * time.Second

// statusError is an answer that says no.
type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string { return e.text }

func isNotFound(err error) bool {
	var e *statusError
	return errors.As(err, &e) && e.status == http.StatusNotFound
}

// unreachableError is a service that gave no answer.
type unreachableError struct {
	base string
	err  error
}

func (e *unreachableError) Error() string {
	return fmt.Sprintf("Ollama at %s does not answer: %v", e.base, e.err)
}

func (e *unreachableError) Unwrap() error { return e.err }

// send makes a request with a JSON body (none when in is nil) and returns the
// answer when its status is 200.
func (c *client) send(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.transport(ctx, err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, c.refusal(path, resp)
	}
	return resp, nil
}

// transport names the service and leaves out what url.Error repeats. A context
// that was ended for a reason of its own gives that reason.
func (c *client) transport(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		if err = context.Cause(ctx); !errors.Is(err, ctx.Err()) {
			return err
		}
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return &unreachableError{c.base, err}
}

func (c *client) refusal(path string, resp *http.Response) error {
	b, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	var body struct{ Error string }
	text := strings.TrimSpace(string(b))
	if json.Unmarshal(b, &body) == nil && body.Error != "" {
		text = body.Error
	}
	if text == "" {
		text = fmt.Sprintf("%s answered %s", path, resp.Status)
		if resp.StatusCode == http.StatusForbidden {
			text += ": a service on the loopback interface wants a local name in the url, such as 127.0.0.1"
		}
	}
	return &statusError{resp.StatusCode, text}
}

// call sends in and decodes the answer into out (nil: the answer has no body).
func (c *client) call(ctx context.Context, method, path string, in, out any) error {
	resp, err := c.send(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return c.transport(ctx, err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("%s%s does not answer like Ollama: %w", c.base, path, err)
	}
	return nil
}

// details of a model as Ollama reports them everywhere.
type details struct {
	Format       string `json:"format"`
	Family       string `json:"family"`
	Parameters   string `json:"parameter_size"` // "7.6B"
	Quantization string `json:"quantization_level"`
}

// tag is an installed model.
type tag struct {
	Name       string  `json:"name"`
	Size       int64   `json:"size"`   // bytes of all layers
	Digest     string  `json:"digest"` // of the manifest: hex, no algorithm
	Details    details `json:"details"`
	RemoteHost string  `json:"remote_host"` // set for a model that runs elsewhere
}

// runner is a model in memory.
type runner struct {
	Name          string    `json:"name"`
	Digest        string    `json:"digest"`
	Size          int64     `json:"size"`      // bytes, GPU and CPU
	VRAM          int64     `json:"size_vram"` // the part in GPU memory
	ExpiresAt     time.Time `json:"expires_at"`
	ContextLength int64     `json:"context_length"` // tokens
}

// shown is what Ollama tells about one model.
type shown struct {
	License      string         `json:"license"` // all license texts, one after the other
	Modelfile    string         `json:"modelfile"`
	Parameters   string         `json:"parameters"` // "name value" lines
	Template     string         `json:"template"`
	Details      details        `json:"details"`
	Info         map[string]any `json:"model_info"`
	Capabilities []string       `json:"capabilities"`
	RemoteHost   string         `json:"remote_host"`
}

// reach makes sure that an Ollama service answers.
func (c *client) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	var out struct{ Version string }
	err := c.call(ctx, http.MethodGet, "/api/version", nil, &out)
	if err == nil && out.Version == "" {
		err = fmt.Errorf("%s is no Ollama service: /api/version names no version", c.base)
	}
	return err
}

func (c *client) tags(ctx context.Context) ([]tag, error) {
	var out struct{ Models []tag }
	err := c.call(ctx, http.MethodGet, "/api/tags", nil, &out)
	return out.Models, err
}

func (c *client) running(ctx context.Context) ([]runner, error) {
	var out struct{ Models []runner }
	err := c.call(ctx, http.MethodGet, "/api/ps", nil, &out)
	return out.Models, err
}

func (c *client) show(ctx context.Context, name string) (shown, error) {
	var out shown
	err := c.call(ctx, http.MethodPost, "/api/show", map[string]any{"model": name}, &out)
	return out, err
}

func (c *client) copy(ctx context.Context, from, to string) error {
	return c.call(ctx, http.MethodPost, "/api/copy", map[string]any{"source": from, "destination": to}, nil)
}

func (c *client) delete(ctx context.Context, name string) error {
	err := c.call(ctx, http.MethodDelete, "/api/delete", map[string]any{"model": name}, nil)
	if isNotFound(err) {
		return nil
	}
	return err
}

// load brings a model into memory, or changes how long it stays there; it
// returns once that is done. An embedding model refuses /api/generate.
func (c *client) load(ctx context.Context, name string, embedding bool, keepAlive any) error {
	path := "/api/generate"
	if embedding {
		path = "/api/embed"
	}
	return c.call(ctx, http.MethodPost, path,
		map[string]any{"model": name, "keep_alive": keepAlive, "stream": false}, nil)
}

// unload asks for a model to leave the memory. The answer comes at once, the
// unloading after it.
func (c *client) unload(ctx context.Context, name string) error {
	return c.load(ctx, name, false, 0)
}

// generate asks for one token (one vector of an embedding model). It carries
// neither a keep_alive nor an option of the runner, so that it changes nothing.
func (c *client) generate(ctx context.Context, name string, embedding bool) error {
	if embedding {
		return c.call(ctx, http.MethodPost, "/api/embed", map[string]any{"model": name, "input": "Hi"}, nil)
	}
	return c.call(ctx, http.MethodPost, "/api/generate", map[string]any{
		"model": name, "prompt": "Hi", "stream": false, "options": map[string]any{"num_predict": 1},
	}, nil)
}
