package vllm

import (
	"context"
	"errors"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

// generate asks for one token: nothing else tells a hung engine from a good one.
// One that gives other clients their tokens meanwhile is busy, not hung.
func (i *inspection) generate(ctx context.Context, c *client) {
	limit := tokenLimit(i.opt.Timeout, i.live.TokenSeconds)
	asked, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	before := c.tokens(asked)
	switch err := c.generate(asked, i.live.Launch.Served[0]); {
	case err == nil, errors.Is(err, errNoGeneration):
		i.set(engine.StateReady, "")
	case ctx.Err() == nil && asked.Err() != nil && i.works(ctx, c, before):
		i.set(engine.StateReady, "it is busy: our request waited for more than %s", limit)
	case asked.Err() != nil:
		i.set(engine.StateHung, "it generated no token within %s", limit)
	default:
		i.set(engine.StateHung, "it cannot generate: %v", err)
	}
}

// tokenLimit is how long a token may take: a server whose first one took long is
// slow, and that is no news.
func tokenLimit(limit time.Duration, first float64) time.Duration {
	const times, most = 4, time.Minute
	usual := time.Duration(times * first * float64(time.Second))
	return max(limit, min(usual, most))
}

// works: the server's count of tokens has grown since before.
func (i *inspection) works(ctx context.Context, c *client, before float64) bool {
	asked, cancel := context.WithTimeout(ctx, i.opt.Timeout)
	defer cancel()
	return before >= 0 && c.tokens(asked) > before
}
