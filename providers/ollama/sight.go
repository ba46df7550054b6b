package ollama

import (
	"context"
	"path"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// sight is what the service shows of a launch: its tag and its runner.
type sight struct {
	tags    []tag
	tag     *tag // first served name; nil: no such tag
	shown   shown
	mark    mark // of the tag
	marked  bool
	runners []runner
	runner  *runner // that holds our weights; nil: not loaded
}

// look changes nothing.
func (c *client) look(ctx context.Context, l engine.Launch) (sight, error) {
	var s sight
	var err error
	if s.tags, err = c.tags(ctx); err != nil {
		return s, err
	}
	if s.runners, err = c.running(ctx); err != nil {
		return s, err
	}
	if s.tag = findTag(s.tags, l.Served[0]); s.tag == nil {
		return s, nil
	}
	if s.shown, err = c.show(ctx, s.tag.Name); err != nil {
		return s, err
	}
	s.mark, s.marked = readMark(s.shown.License)
	s.runner, err = c.findRunner(ctx, s.runners, s.tag.Digest, weights(s.shown))
	return s, err
}

// ours tells whether the tag was made by the launch with this token.
func (s sight) ours(token string) bool { return s.marked && token != "" && s.mark.token == token }

func findTag(tags []tag, name string) *tag {
	for i := range tags {
		if sameName(tags[i].Name, name) {
			return &tags[i]
		}
	}
	return nil
}

// findRunner finds the runner of a model by its manifest, or by its weights:
// a runner that already holds them serves every tag that uses them, and is
// listed under the tag that asked first.
func (c *client) findRunner(ctx context.Context, runners []runner, digest, blob string) (*runner, error) {
	if r := listedAs(runners, digest); r != nil {
		return r, nil
	}
	for i := range runners {
		other, err := c.show(ctx, runners[i].Name)
		switch {
		case isNotFound(err): // its tag was deleted while it was loaded
		case err != nil:
			return nil, err
		case blob != "" && weights(other) == blob:
			return &runners[i], nil
		}
	}
	return nil, nil
}

func listedAs(runners []runner, digest string) *runner {
	for i := range runners {
		if runners[i].Digest == digest {
			return &runners[i]
		}
	}
	return nil
}

// still is the runner unless it is on its way out of memory; again asks the
// service once more whether it is there, since looking around took time.
func (c *client) still(ctx context.Context, r *runner, again bool) (*runner, error) {
	if r != nil && again {
		runners, err := c.running(ctx)
		if err != nil {
			return nil, err
		}
		r = listedAs(runners, r.Digest)
	}
	if r == nil || r.leaving() {
		return nil, nil
	}
	return r, nil
}

// weights names the blob of a model's weights: Ollama shows it in the first
// FROM line of the Modelfile. Empty when there is none.
func weights(s shown) string {
	for line := range strings.Lines(s.Modelfile) {
		if from, ok := strings.CutPrefix(strings.TrimSpace(line), "FROM "); ok {
			if blob := path.Base(from); strings.HasPrefix(blob, "sha256-") {
				return blob
			}
			return ""
		}
	}
	return ""
}

// embeds tells whether a model makes vectors only: Ollama refuses to generate
// with it.
func embeds(s shown) bool {
	embedding, completion := false, false
	for _, c := range s.Capabilities {
		embedding = embedding || c == "embedding"
		completion = completion || c == "completion"
	}
	return embedding && !completion
}
