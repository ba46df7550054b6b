package ollama

import (
	"context"
	"errors"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// errNotReady ends a load that takes longer than the start may.
var errNotReady = errors.New("not ready within the time that start_timeout allows")

// startError turns the failure of a start into its class. What Ollama says about
// memory depends on its version and engine, so the texts are matched loosely.
func startError(err error, ctx context.Context) *engine.StartError {
	if e, ok := errors.AsType[*engine.StartError](err); ok {
		return e
	}
	e := &engine.StartError{Class: "exited", Cause: oneLine(err.Error()), Status: "alive"}
	text := strings.ToLower(e.Cause)
	_, unreachable := errors.AsType[*unreachableError](err)
	switch {
	case ctx.Err() != nil:
		e.Class, e.Cause = "canceled", "the start was canceled"
	case errors.Is(err, errNotReady):
		e.Class, e.Field = "timeout", "lifecycle.start_timeout"
	case errors.Is(err, errStalled):
		e.Class = "timeout"
	case unreachable:
		e.Class, e.Field = "unreachable", "url"
		e.Hint = "start the Ollama service, or correct the url"
	case containsAny(text, "out of memory", "requires more system memory", "cudamalloc", "failed to allocate"):
		e.Class, e.Field = "out_of_memory", "args.num_ctx"
		e.Hint = "declare a smaller num_ctx, or stop another model"
	case strings.HasPrefix(text, "pull "):
		e.Class, e.Field = "missing_file", "source"
	case strings.Contains(text, "template error"):
		e.Class, e.Field = "argument", "chat_template"
	}
	return e
}

func containsAny(s string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
