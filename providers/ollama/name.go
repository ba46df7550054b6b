package ollama

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// Scheme of a source that is a tag of an Ollama service.
const Scheme = "ollama://"

// maxPart is the longest part of a name that Ollama takes
// (ollama types/model/name.go).
const maxPart = 80

// parseSource splits ollama://TAG[@sha256:HEX] into the tag and the manifest
// digest that it is pinned to (hex, empty when it is not).
func parseSource(source string) (tag, pin string, ok bool) {
	rest, ok := strings.CutPrefix(source, Scheme)
	if !ok {
		return "", "", false
	}
	tag, pin, pinned := strings.Cut(rest, "@")
	pin, hasAlgorithm := strings.CutPrefix(pin, "sha256:")
	if pinned && (!hasAlgorithm || !isDigest(pin)) {
		return "", "", false
	}
	return tag, pin, isName(tag)
}

func isDigest(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size
}

// isName tells whether s is a name of Ollama: [[host/]namespace/]model[:tag].
func isName(s string) bool {
	parts := strings.Split(s, "/")
	if len(parts) > 3 {
		return false
	}
	last := len(parts) - 1
	model, tag, tagged := strings.Cut(parts[last], ":")
	if tagged && !isPart(tag, ".") {
		return false
	}
	for i, p := range parts[:last] {
		switch {
		case i == last-1 && !isPart(p, ""): // namespace
			return false
		case i < last-1 && !isPart(p, ".:"): // host, maybe with a port
			return false
		}
	}
	return isPart(model, ".")
}

// isPart checks one part of a name: letters, digits, '_', '-', and what more
// allows, not at the beginning.
func isPart(s, more string) bool {
	if s == "" || len(s) > maxPart {
		return false
	}
	for i := range len(s) {
		if !isWord(s[i]) && (i == 0 || s[i] != '-' && strings.IndexByte(more, s[i]) < 0) {
			return false
		}
	}
	return true
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// canonical is the form in which two names of the same model are equal: Ollama
// ignores case and fills in the registry, the library and the tag "latest".
func canonical(name string) string {
	name = strings.ToLower(name)
	if !strings.Contains(name[strings.LastIndexByte(name, '/')+1:], ":") {
		name += ":latest"
	}
	name = strings.TrimPrefix(name, "registry.ollama.ai/")
	return strings.TrimPrefix(name, "library/")
}

func sameName(a, b string) bool { return canonical(a) == canonical(b) }

// legalName makes a name that Ollama takes out of any name. What it does not
// take becomes '-'; six hex digits of the SHA-256 of the whole name are appended
// then, so that two names never become one. A legal name stays as it is.
func legalName(name string) string {
	if isName(name) {
		return name
	}
	var b strings.Builder
	for _, c := range []byte(name) {
		switch {
		case isWord(c) || c == '.' && b.Len() > 0:
			b.WriteByte(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	const suffix = 6
	base := b.String()[:min(b.Len(), maxPart-suffix-1)]
	base = strings.TrimRight(base, "-.")
	if base == "" {
		base = "model"
	}
	return base + "-" + engine.Digest(name)[:suffix]
}
