package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/loadoutdev/loadout/cmd/loadout/internal/view"
	"github.com/loadoutdev/loadout/engine"
)

type probeOptions struct {
	prompt  string
	tokens  int
	timeout time.Duration
}

func newProbe(c *cli) *cobra.Command {
	var o probeOptions
	cmd := &cobra.Command{
		Use:   "probe MODEL",
		Short: "Ask a served model for one chat completion",
		Long: "Sends one message to a model that the last apply started and prints the answer.\n" +
			"A server with an API key is asked with the key in LOADOUT_API_KEY.",
		Example: "  loadout probe tiny-llama --prompt \"Say hello\"",
		Args:    oneModel(0, "the message is --prompt TEXT"),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.runProbe(cmd.Context(), args[0], &o) },
	}
	c.jsonFlag(cmd)
	cmd.Flags().StringVarP(&o.prompt, "prompt", "p", "Say hello.", "the message")
	cmd.Flags().IntVar(&o.tokens, "max-tokens", 32, "the most tokens to answer with")
	cmd.Flags().DurationVar(&o.timeout, "timeout", 60*time.Second, "how long to wait for the answer")
	return cmd
}

func (c *cli) runProbe(ctx context.Context, name string, o *probeOptions) error {
	st, err := c.openStore()
	if err != nil {
		return err
	}
	snap, _, err := st.Read()
	if err != nil {
		return err
	}
	in, err := findInstance(snap, name)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	began := time.Now()
	text, tokens, err := chat(ctx, &in.Launch, o, lookupEnv(c.environ, "LOADOUT_API_KEY"))
	if err != nil {
		return fmt.Errorf("probe %s: %w", in.Model, err)
	}
	seconds := time.Since(began).Seconds()
	if c.json {
		return view.JSON(c.out, map[string]any{
			"format_version": "1.0", "model": in.Model, "endpoint": in.Launch.URL, "answer": text, "completion_tokens": tokens, "seconds": seconds,
		})
	}
	fmt.Fprintln(c.out, strings.TrimSpace(text))
	fmt.Fprintf(c.err, "%s at %s: %s in %.2f s\n", in.Model, in.Launch.URL, view.Count(tokens, "token"), seconds)
	return nil
}

func findInstance(snap *engine.Snapshot, name string) (*engine.Instance, error) {
	if snap == nil {
		return nil, fmt.Errorf("nothing was applied yet: run loadout apply")
	}
	for i := range snap.Instances {
		in := &snap.Instances[i]
		if in.Model == name {
			return in, nil
		}
		for _, served := range in.Launch.Served {
			if served == name {
				return in, nil
			}
		}
	}
	return nil, fmt.Errorf("the snapshot has no running model %q: see loadout list", name)
}

// chat asks for one completion the OpenAI way, which all backends speak.
func chat(ctx context.Context, l *engine.Launch, o *probeOptions, key string) (string, int, error) {
	body := engine.CanonicalJSON(map[string]any{
		"model": l.Served[0], "max_tokens": o.tokens,
		"messages": []map[string]string{{"role": "user", "content": o.prompt}},
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(l.URL, "/")+"/v1/chat/completions", bytes.NewReader(body))
	if err != nil {
		return "", 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return "", 0, err
	}
	if resp.StatusCode != http.StatusOK {
		return "", 0, fmt.Errorf("%s: %s", resp.Status, bytes.TrimSpace(answer[:min(len(answer), 500)]))
	}
	var doc struct {
		Choices []struct {
			Message struct{ Content string }
		}
		Usage struct {
			CompletionTokens int `json:"completion_tokens"`
		}
	}
	if err := json.Unmarshal(answer, &doc); err != nil || len(doc.Choices) == 0 {
		return "", 0, fmt.Errorf("the answer is not a chat completion: %.200s", answer)
	}
	return doc.Choices[0].Message.Content, doc.Usage.CompletionTokens, nil
}

func lookupEnv(environ []string, name string) string {
	for _, e := range environ {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
}
