package artifact

import (
	"path/filepath"
	"strings"
)

// DefaultHFCache is the hub cache that huggingface_hub uses under environ (as
// from os.Environ): HF_HUB_CACHE, its old name HUGGINGFACE_HUB_CACHE,
// HF_HOME/hub, XDG_CACHE_HOME/huggingface/hub, ~/.cache/huggingface/hub. It is
// empty when not even HOME is set.
func DefaultHFCache(environ []string) string {
	env := map[string]string{}
	for _, pair := range environ {
		key, value, _ := strings.Cut(pair, "=")
		env[key] = value
	}
	for _, place := range []struct{ variable, below string }{
		{"HF_HUB_CACHE", ""},
		{"HUGGINGFACE_HUB_CACHE", ""},
		{"HF_HOME", "hub"},
		{"XDG_CACHE_HOME", "huggingface/hub"},
		{"HOME", ".cache/huggingface/hub"},
	} {
		if dir := env[place.variable]; dir != "" {
			return filepath.Join(expandHome(dir, env["HOME"]), place.below)
		}
	}
	return ""
}

// expandHome does what Python's expanduser does for the user's own home.
func expandHome(path, home string) string {
	if rest, ok := strings.CutPrefix(path, "~"); ok && home != "" && (rest == "" || rest[0] == '/') {
		return home + rest
	}
	return path
}
