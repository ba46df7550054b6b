package ollama

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

// errStalled ends a stream that makes no progress.
var errStalled = errors.New("no progress")

// status is one line of a streamed answer.
type status struct {
	Status    string `json:"status"`
	Error     string `json:"error"`
	Total     int64  `json:"total"`
	Completed int64  `json:"completed"`
}

func (s status) progress() engine.Progress {
	fraction := -1.0
	if s.Total > 0 {
		fraction = float64(s.Completed) / float64(s.Total)
	}
	return engine.Progress{Phase: s.Status, Fraction: fraction}
}

// stream follows an answer of newline-delimited JSON to its end. An error
// inside it has HTTP status 200, so only a final "success" is success. The
// request has no time limit; it fails when nothing new is said for stall.
func (c *client) stream(ctx context.Context, path string, in any, stall time.Duration, report func(engine.Progress)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(stall, func() { cancel(fmt.Errorf("%w for %v", errStalled, stall)) })
	defer timer.Stop()
	resp, err := c.send(ctx, http.MethodPost, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()

	var last status
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var s status
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			return fmt.Errorf("%s%s does not answer like Ollama: %w", c.base, path, err)
		}
		if s.Error != "" {
			return &statusError{resp.StatusCode, s.Error}
		}
		if s != last { // the same line again is no progress
			timer.Reset(stall)
			report(s.progress())
		}
		last = s
	}
	if err := lines.Err(); err != nil {
		return c.transport(ctx, err)
	}
	if last.Status != "success" {
		return fmt.Errorf("%s%s ended without success, after %q", c.base, path, last.Status)
	}
	return nil
}

func (c *client) pull(ctx context.Context, name string, stall time.Duration, report func(engine.Progress)) error {
	return c.stream(ctx, "/api/pull", map[string]any{"model": name, "stream": true}, stall, report)
}

// create makes the tag name out of what s says, with the marker.
func (c *client) create(ctx context.Context, name, mark string, s settings, stall time.Duration, report func(engine.Progress)) error {
	in := map[string]any{"model": name, "from": s.from, "license": mark, "stream": true}
	if len(s.parameters) > 0 {
		in["parameters"] = s.parameters
	}
	if s.template != "" {
		in["template"] = s.template
	}
	return c.stream(ctx, "/api/create", in, stall, report)
}
