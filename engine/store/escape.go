package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName leaves room for a suffix within the 255 bytes that Linux allows for
// one path element.
const maxName = 200

// Escape turns any name into one path element that people still recognize:
// letters, digits and . _ - ( ) + @ = , stay, every other byte becomes %XX, and
// so does a leading dot. Different names give different elements; one that
// would be too long ends in "%~" and its SHA-256.
func Escape(name string) string {
	if name == "" {
		return "%"
	}
	var b strings.Builder
	for i, r := range name {
		_, size := utf8.DecodeRuneInString(name[i:])
		if plain(r, size) && (r != '.' || i > 0) {
			b.WriteRune(r)
			continue
		}
		for _, c := range []byte(name[i : i+size]) {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if b.Len() <= maxName {
		return b.String()
	}
	sum := sha256.Sum256([]byte(name))
	return cut(b.String(), maxName-2-2*len(sum)) + "%~" + hex.EncodeToString(sum[:])
}

func plain(r rune, size int) bool {
	if r == utf8.RuneError && size <= 1 {
		return false
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-()+@=,", r)
}

// cut shortens s to at most n bytes without splitting a character.
func cut(s string, n int) string {
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
