package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"unicode/utf8"
)

// digester collects what a digest covers, as canonical JSON. A plan makes two
// digests for every model, so this is written by hand: reflection would cost
// more than parsing the model's block.
type digester struct{ buf []byte }

// sum is the SHA-256 of what was collected, lower-case hex.
func (d *digester) sum() string {
	sum := sha256.Sum256(d.buf)
	return hex.EncodeToString(sum[:])
}

func (d *digester) raw(s string) { d.buf = append(d.buf, s...) }

// key begins a member of an object; the caller writes the value.
func (d *digester) key(name string) {
	if n := len(d.buf); n > 0 && d.buf[n-1] != '{' {
		d.buf = append(d.buf, ',')
	}
	d.text(name)
	d.buf = append(d.buf, ':')
}

// strings writes a member with a list of strings.
func (d *digester) strings(name string, list []string) {
	d.key(name)
	d.raw("[")
	for i, s := range list {
		if i > 0 {
			d.raw(",")
		}
		d.text(s)
	}
	d.raw("]")
}

// words writes a member that is a string.
func (d *digester) words(name, s string) {
	d.key(name)
	d.text(s)
}

// member writes a member with any value.
func (d *digester) member(name string, v Value) {
	d.key(name)
	d.value(v)
}

// value writes a Value the way CanonicalJSON does.
func (d *digester) value(v Value) {
	switch v := v.(type) {
	case nil:
		d.raw("null")
	case bool:
		d.buf = strconv.AppendBool(d.buf, v)
	case int64:
		d.buf = strconv.AppendInt(d.buf, v, 10)
	case string:
		d.text(v)
	case []any:
		d.raw("[")
		for i, e := range v {
			if i > 0 {
				d.raw(",")
			}
			d.value(e)
		}
		d.raw("]")
	case map[string]any:
		d.raw("{")
		for _, k := range sortedKeys(v) {
			d.member(k, v[k])
		}
		d.raw("}")
	default:
		d.buf = append(d.buf, CanonicalJSON(v)...)
	}
}

// text writes a string without boxing it.
func (d *digester) text(s string) {
	if !plainText(s) {
		d.buf = append(d.buf, CanonicalJSON(s)...)
		return
	}
	d.buf = append(d.buf, '"')
	d.buf = append(d.buf, s...)
	d.buf = append(d.buf, '"')
}

// plainText needs no escape in JSON.
func plainText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
