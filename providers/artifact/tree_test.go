package artifact

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree is a directory that a test fills with models.
type tree struct {
	t    *testing.T
	root string
}

func newTree(t *testing.T) tree {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return tree{t, root}
}

func (tr tree) path(rel string) string { return filepath.Join(tr.root, rel) }

func (tr tree) write(rel, content string) {
	tr.t.Helper()
	if err := os.MkdirAll(filepath.Dir(tr.path(rel)), 0o755); err != nil {
		tr.t.Fatal(err)
	}
	if err := os.WriteFile(tr.path(rel), []byte(content), 0o644); err != nil {
		tr.t.Fatal(err)
	}
}

func (tr tree) link(rel, target string) {
	tr.t.Helper()
	if err := os.MkdirAll(filepath.Dir(tr.path(rel)), 0o755); err != nil {
		tr.t.Fatal(err)
	}
	if err := os.Symlink(target, tr.path(rel)); err != nil {
		tr.t.Fatal(err)
	}
}

// files writes several files below dir.
func (tr tree) files(dir string, files map[string]string) {
	tr.t.Helper()
	for name, content := range files {
		tr.write(filepath.Join(dir, name), content)
	}
}

// Small files of a plain text model.
const (
	llamaConfig = `{"architectures":["LlamaForCausalLM"],"model_type":"llama","max_position_embeddings":4096,"torch_dtype":"bfloat16"}`
	toolChat    = `{% for m in messages %}{{ m.content }}{% endfor %}{% if tools %}<tool_call>{% endif %}{% if enable_thinking %}<think>{% endif %}`
)

// llama is a whole model of one file: 6 parameters in bf16.
func llama() map[string]string {
	return map[string]string{
		"config.json":       llamaConfig,
		"tokenizer.json":    `{}`,
		"model.safetensors": safetensors(spec{"model.embed_tokens.weight", "BF16", []int64{2, 3}}),
	}
}

// with changes a set of files; an empty content removes the file.
func with(files map[string]string, changes ...string) map[string]string {
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "" {
			delete(files, changes[i])
			continue
		}
		files[changes[i]] = changes[i+1]
	}
	return files
}

// snapshot lays out files as huggingface_hub does: blobs, and links to them.
func (tr tree) snapshot(repo, commit string, files map[string]string) {
	tr.t.Helper()
	for name, content := range files {
		blob := fmt.Sprintf("%s-%s", commit[:4], strings.ReplaceAll(name, "/", "_"))
		tr.write(filepath.Join(repo, "blobs", blob), content)
		up := strings.Repeat("../", strings.Count(name, "/")+2)
		tr.link(filepath.Join(repo, "snapshots", commit, name), up+"blobs/"+blob)
	}
}

// spec is one tensor of a generated file.
type spec struct {
	name  string
	dtype string
	shape []int64
}

// safetensors makes a valid file with zeros for data.
func safetensors(specs ...spec) string {
	entries := map[string]any{"__metadata__": map[string]string{"format": "pt"}}
	end := int64(0)
	for _, s := range specs {
		n := dtypeBits[s.dtype]
		for _, d := range s.shape {
			n *= d
		}
		begin := end
		end += (n + 7) / 8
		entries[s.name] = map[string]any{"dtype": s.dtype, "shape": s.shape, "data_offsets": []int64{begin, end}}
	}
	head, err := json.Marshal(entries)
	if err != nil {
		panic(err)
	}
	return framed(string(head)) + strings.Repeat("\x00", int(end))
}

// framed puts the length before a header.
func framed(head string) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(head)))) + head
}
