package apply

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/loadoutdev/loadout/engine"
)

// previous is what ran before a change, complete enough to start it again.
type previous struct {
	model   string // its name then
	launch  engine.Launch
	environ []string // NAME=value, of its process while it ran; nil: not known
	missing error    // why it cannot be started again
}

// keep gathers, while it still runs, what would be needed to put a model back:
// the snapshot has only hashes of its secrets and nothing of what the process got
// from the host (PATH, proxies), and the files of its launch go with it.
func (r *runner) keep(ctx context.Context, j *job) {
	in := r.restorable(j.Change)
	if in == nil {
		return
	}
	p := &previous{model: in.Model, launch: in.Launch}
	next := j.Start
	if next == nil {
		next = &engine.Launch{}
	}
	live, err := r.environment(ctx, cmp.Or(j.Running, in))
	for _, name := range slices.Sorted(maps.Keys(live)) {
		p.environ = append(p.environ, name+"="+live[name])
	}
	p.launch.Env, p.missing = r.reveal(in, next, live, err)
	if p.missing == nil {
		p.launch.Files, p.missing = r.files(in, next)
	}
	j.previous = p
}

// restorable is the recorded instance if this run, or the interrupted one before
// it, ends it. The very launch that fails now is not worth a second try, and
// neither is one that had died by itself.
func (r *runner) restorable(c *engine.Change) *engine.Instance {
	in := r.recorded(c)
	if in == nil || in.LaunchDigest == nextDigest(c) {
		return nil
	}
	if c.Running != nil && c.Running.Token == in.Token && c.Running.Pid == in.Pid || r.stopped[in.Token] {
		return in
	}
	return nil
}

// nextDigest is the launch that takes the place of the recorded one.
func nextDigest(c *engine.Change) string {
	switch {
	case c.Start != nil:
		return c.Start.Digest()
	case c.Running != nil:
		return c.Running.LaunchDigest
	}
	return ""
}

// reveal gives the environment of a launch with its secrets in plain: the ones
// that have not changed from the new launch, others from live, the environment
// of the process that runs; unread is why that is not known.
func (r *runner) reveal(in *engine.Instance, next *engine.Launch, live map[string]string, unread error) (map[string]any, error) {
	known := map[string]engine.Secret{} // by hash
	for _, v := range next.Env {
		if s, ok := v.(engine.Secret); ok {
			known[s.Hash()] = s
		}
	}
	env := maps.Clone(in.Launch.Env)
	for _, name := range slices.Sorted(maps.Keys(env)) {
		s, secret := env[name].(engine.Secret)
		if _, plain := s.Reveal(); !secret || plain {
			continue
		}
		if k, ok := known[s.Hash()]; ok {
			env[name] = k
			continue
		}
		if unread != nil {
			return nil, fmt.Errorf("secret %s of the previous launch is not known any more: %w", name, unread)
		}
		found := engine.NewSecret(r.prior.Workspace, live[name])
		if found.Hash() != s.Hash() {
			return nil, fmt.Errorf("secret %s of the previous launch is not known any more", name)
		}
		env[name] = found
	}
	return env, nil
}

func (r *runner) environment(ctx context.Context, in *engine.Instance) (map[string]string, error) {
	p, err := r.provider(in.Backend)
	if err != nil {
		return nil, err
	}
	revealer, ok := p.(engine.Revealer)
	if !ok {
		return nil, fmt.Errorf("backend %q cannot tell it", in.Backend)
	}
	return revealer.Reveal(ctx, *in)
}

// files gives the files of a launch with their bytes, which must be those that
// were recorded.
func (r *runner) files(in *engine.Instance, next *engine.Launch) ([]engine.File, error) {
	files := slices.Clone(in.Launch.Files)
	for i := range files {
		f := &files[i]
		same := slices.IndexFunc(next.Files, func(n engine.File) bool { return n.SHA256 == f.SHA256 })
		if same >= 0 && next.Files[same].Content != nil {
			f.Content = next.Files[same].Content
			continue
		}
		if !filepath.IsLocal(f.Name) || !filepath.IsLocal(in.Dir) {
			return nil, fmt.Errorf("file %q of the previous launch is not in its directory", f.Name)
		}
		content, err := os.ReadFile(filepath.Join(r.Store.Dir(), in.Dir, f.Name))
		if err != nil {
			return nil, fmt.Errorf("file of the previous launch: %w", err)
		}
		if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != f.SHA256 {
			return nil, fmt.Errorf("file %q of the previous launch has changed since", f.Name)
		}
		f.Content = content
	}
	return files, nil
}
