package sim

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokenizer is a byte-level BPE as tokenizer.json describes it. The splitting
// into words is GPT-2's whatever the file says, so that counts are exact for
// the generated models and near for others.
type tokenizer struct {
	ids   map[string]int
	text  []string // by id, in the byte alphabet
	ranks map[[2]string]int
}

// tokenizerFile is the part of tokenizer.json that is read.
type tokenizerFile struct {
	Added []struct {
		ID      int    `json:"id"`
		Content string `json:"content"`
	} `json:"added_tokens"`
	Model struct {
		Type   string            `json:"type"`
		Vocab  map[string]int    `json:"vocab"`
		Merges []json.RawMessage `json:"merges"`
	} `json:"model"`
}

// openTokenizer reads tokenizer.json. A tokenizer of another kind gives nil
// without an error: only counts and texts become approximate.
func openTokenizer(dir string) (*tokenizer, error) {
	raw, err := readBounded(filepath.Join(dir, "tokenizer.json"), maxTokenizer)
	if err != nil {
		return nil, raise("ValueError", "Couldn't instantiate the backend tokenizer from one of: \n"+
			"(1) a `tokenizers` library serialization file, \n(2) a slow tokenizer instance to convert or \n"+
			"(3) an equivalent slow tokenizer class to instantiate and convert. \n"+
			"You need to have sentencepiece or tiktoken installed to convert a slow tokenizer to a fast one.")
	}
	var file tokenizerFile
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, raise("Exception", "%s", err)
	}
	if file.Model.Type != "BPE" || len(file.Model.Vocab) == 0 {
		return nil, nil
	}
	t := &tokenizer{ids: file.Model.Vocab, ranks: map[[2]string]int{}}
	for _, a := range file.Added {
		t.ids[a.Content] = a.ID
	}
	for i, m := range file.Model.Merges {
		if pair, ok := decodeMerge(m); ok {
			t.ranks[pair] = i
		}
	}
	t.index()
	return t, nil
}

// decodeMerge reads "a b" or ["a", "b"].
func decodeMerge(raw json.RawMessage) (pair [2]string, ok bool) {
	if json.Unmarshal(raw, &pair) == nil {
		return pair, true
	}
	var line string
	if json.Unmarshal(raw, &line) != nil {
		return pair, false
	}
	left, right, ok := strings.Cut(line, " ")
	return [2]string{left, right}, ok
}

// index makes the table from id to text. Ids beyond any sane vocabulary are
// left out.
func (t *tokenizer) index() {
	size := 0
	for _, id := range t.ids {
		if id < 1<<22 {
			size = max(size, id+1)
		}
	}
	t.text = make([]string, size)
	for token, id := range t.ids {
		if id >= 0 && id < size {
			t.text[id] = token
		}
	}
}

// encode gives the ids of a text.
func (t *tokenizer) encode(text string) []int {
	alphabet := byteAlphabet()
	var ids []int
	for _, word := range splitWords(text) {
		var symbols []string
		for _, b := range []byte(word) {
			symbols = append(symbols, string(alphabet[b]))
		}
		for _, s := range t.merge(symbols) {
			if id, known := t.ids[s]; known {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// merge joins neighbors, the earliest rule first.
func (t *tokenizer) merge(symbols []string) []string {
	for {
		best, at := -1, -1
		for i := 0; i+1 < len(symbols); i++ {
			if rank, ok := t.ranks[[2]string{symbols[i], symbols[i+1]}]; ok && (best < 0 || rank < best) {
				best, at = rank, i
			}
		}
		if at < 0 {
			return symbols
		}
		joined := symbols[at] + symbols[at+1]
		symbols = append(symbols[:at], append([]string{joined}, symbols[at+2:]...)...)
	}
}

// decode gives the text of ids; unknown ids are left out.
func (t *tokenizer) decode(ids []int) string {
	back := map[rune]byte{}
	for b, r := range byteAlphabet() {
		back[r] = byte(b)
	}
	var out []byte
	for _, id := range ids {
		if id < 0 || id >= len(t.text) {
			continue
		}
		for _, r := range t.text[id] {
			if b, ok := back[r]; ok {
				out = append(out, b)
			}
		}
	}
	return string(out)
}

// byteAlphabet is the usual table from bytes to printable characters: printable
// Latin-1 stands for itself, the rest follows from U+0100 on.
func byteAlphabet() (table [256]rune) {
	next := rune(256)
	for b := range table {
		switch {
		case b >= 33 && b <= 126, b >= 161 && b <= 172, b >= 174:
			table[b] = rune(b)
		default:
			table[b] = next
			next++
		}
	}
	return table
}

// splitWords cuts a text into words, numbers, punctuation and white space; one
// space belongs to what follows it.
func splitWords(text string) []string {
	var words []string
	for text != "" {
		n := wordLength(text)
		words = append(words, text[:n])
		text = text[n:]
	}
	return words
}

// maxWord bounds the work for a text without spaces, in bytes.
const maxWord = 1024

func wordLength(text string) int {
	start := 0
	if text[0] == ' ' && len(text) > 1 {
		if r, _ := utf8.DecodeRuneInString(text[1:]); !unicode.IsSpace(r) {
			start = 1
		}
	}
	first, size := utf8.DecodeRuneInString(text[start:])
	n := start + size
	for n < len(text) && n < maxWord {
		r, size := utf8.DecodeRuneInString(text[n:])
		if runeClass(r) != runeClass(first) {
			break
		}
		n += size
	}
	if unicode.IsSpace(first) && n < len(text) && n > 1 && text[n-1] == ' ' {
		n-- // the last space belongs to the next word
	}
	return n
}

func runeClass(r rune) int {
	switch {
	case unicode.IsSpace(r):
		return 0
	case unicode.IsLetter(r):
		return 1
	case unicode.IsNumber(r):
		return 2
	}
	return 3
}
