package artifact

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// chatTemplate is the text that turns a conversation into a prompt, and the
// file that it was read from.
type chatTemplate struct {
	text string
	file string
}

// fact is how the template is recorded: digest of its text, and the file.
func (t chatTemplate) fact() string {
	sum := sha256.Sum256([]byte(t.text))
	return "sha256:" + hex.EncodeToString(sum[:]) + " " + t.file
}

// readTemplate finds the template as transformers does: chat_template.jinja,
// then chat_template.json (older processors), then tokenizer_config.json, which
// has a text or a list of named ones.
func readTemplate(d *folder, tokenizer object) (chatTemplate, error) {
	const jinja, processor = "chat_template.jinja", "chat_template.json"
	if d.has(jinja) {
		data, err := d.read(jinja, maxConfig)
		if err != nil {
			return chatTemplate{}, fmt.Errorf("%s %w", jinja, err)
		}
		return chatTemplate{string(data), jinja}, nil
	}
	o, err := d.object(processor)
	if err != nil {
		return chatTemplate{}, fmt.Errorf("%s %w", processor, err)
	}
	if text := namedTemplate(o["chat_template"]); text != "" {
		return chatTemplate{text, processor}, nil
	}
	return chatTemplate{namedTemplate(tokenizer["chat_template"]), tokenizerConfig}, nil
}

// namedTemplate picks the one named "default", or the only one.
func namedTemplate(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	all := list(v)
	for _, e := range all {
		m, _ := e.(map[string]any)
		if t := object(m); t.text("name") == "default" || len(all) == 1 {
			return t.text("template")
		}
	}
	return ""
}

const tokenizerConfig = "tokenizer_config.json"

// tokenizerFiles can each turn text into tokens on their own, best first
// (vocab.json does with merges.txt beside it).
var tokenizerFiles = []string{
	"tokenizer.json", "tekken.json", "tokenizer.model", "tokenizer.model.v3", "spiece.model",
	"sentencepiece.bpe.model", "tiktoken.model", "qwen.tiktoken", "vocab.json", "vocab.txt",
}

// findTokenizer returns the first tokenizer file that can be read. A broken one
// is an error only when there is no other.
func findTokenizer(d *folder) (string, error) {
	err := fmt.Errorf("no tokenizer: none of %s is there", strings.Join(tokenizerFiles[:3], ", "))
	first := true
	for _, name := range tokenizerFiles {
		if !d.has(name) || name == "vocab.json" && !d.has("merges.txt") {
			continue
		}
		bad := d.usable(name)
		if bad == nil {
			return name, nil
		}
		if first {
			err, first = fmt.Errorf("%s %w", name, bad), false
		}
	}
	return "", err
}

// maxFrontMatter is how much of README.md is looked at (bytes).
const maxFrontMatter = 64 << 10

// readLicense takes the license from the model card's front matter, the YAML
// between two lines of three dashes. It is a hint, so errors mean "unknown".
func readLicense(d *folder) string {
	file, size, err := d.open("README.md")
	if err != nil {
		return ""
	}
	defer file.Close()
	text := make([]byte, min(size, maxFrontMatter))
	n, _ := file.ReadAt(text, 0)
	return frontMatterLicense(text[:n])
}

// frontMatterLicense reads two keys of a flat YAML map; "other" gives way to the
// license's name.
func frontMatterLicense(text []byte) string {
	lines := strings.Split(string(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))), "\n")
	if strings.TrimSpace(lines[0]) != "---" {
		return ""
	}
	found := map[string]string{}
	for i, line := range lines[1:] {
		if strings.TrimSpace(line) == "---" {
			break
		}
		key, value, _ := strings.Cut(line, ":")
		if value = plainScalar(value); value == "" && i+2 < len(lines) {
			item, isItem := strings.CutPrefix(strings.TrimSpace(lines[i+2]), "- ")
			if isItem {
				value = plainScalar(item)
			}
		}
		if key == "license" || key == "license_name" {
			found[key] = value
		}
	}
	if found["license"] == "other" && found["license_name"] != "" {
		return found["license_name"]
	}
	return found["license"]
}

// plainScalar strips blanks, quotes and list brackets of a short YAML scalar.
func plainScalar(s string) string {
	s, _, _ = strings.Cut(s, " #")
	s = strings.Trim(s, " \t[]\"'")
	if len(s) > 100 {
		return ""
	}
	return s
}
