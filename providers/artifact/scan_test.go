package artifact

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/loadoutdev/loadout/engine"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	commitA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	commitB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	commitC = "cccccccccccccccccccccccccccccccccccccccc"
)

func scan(t *testing.T, o Options) ([]engine.Artifact, []Finding) {
	t.Helper()
	artifacts, findings, err := Scan(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return artifacts, findings
}

// one scans a single model directory.
func one(t *testing.T, files map[string]string) engine.Artifact {
	t.Helper()
	tr := newTree(t)
	tr.files("m", files)
	artifacts, findings := scan(t, Options{Paths: []string{tr.path("m")}})
	if len(artifacts) != 1 || len(findings) != 0 {
		t.Fatalf("got %v, findings %v", artifacts, findings)
	}
	return artifacts[0]
}

// host fills a tree with one of everything.
func host(t *testing.T) tree {
	tr := newTree(t)
	tr.files("models/A/foo", llama())
	tr.files("models/B/foo", with(llama(), "chat_template.jinja", toolChat,
		"README.md", "---\nlanguage: en\nlicense: apache-2.0 # SPDX\n---\n# Foo\n"))
	tr.files("models/vl", vision())
	for name, commit := range map[string]string{"config.json": commitA, "model.safetensors": commitA} {
		tr.write("models/A/foo/.cache/huggingface/download/"+name+".metadata", commit+"\netag\n1700000000.5\n")
	}
	tr.files("models/gguf", map[string]string{"m-Q4_K_M.gguf": "GGUF", "config.json": llamaConfig})
	tr.files("models/lora", map[string]string{
		"adapter_config.json": `{"peft_type":"LORA"}`, "adapter_model.safetensors": safetensors(),
	})
	tr.files("models/image", map[string]string{"model_index.json": `{}`})
	tr.files("models/image/text_encoder", llama())
	tr.files("models/notes", map[string]string{"config.json": `{"name":"no model"}`, "weights.safetensors": "x"})

	repo := "hub/models--org--two"
	tr.snapshot(repo, commitA, llama())
	tr.snapshot(repo, commitB, with(llama(), "model.safetensors", ""))
	tr.write(repo+"/refs/main", commitA)
	tr.write(repo+"/refs/refs/pr/1", commitB+"\n")
	tr.snapshot("hub/models--gpt2", commitC, llama())
	tr.files("hub/datasets--org--data/snapshots/"+commitA, llama())
	tr.write("hub/models--org--gone/refs/main", commitC)
	tr.write("hub/models--org--gone/blobs/0a1b.incomplete", "x")
	tr.write("hub/models--org--looked-up/refs/main", commitC)
	return tr
}

func vision() map[string]string {
	return map[string]string{
		"config.json": `{"architectures":["Qwen2_5_VLForConditionalGeneration"],"model_type":"qwen2_5_vl",
			"text_config":{"max_position_embeddings":32768,"rope_scaling":{"type":"yarn","factor":4.0,
			"original_max_position_embeddings":32768},"bad":NaN},"vision_config":{"depth":32},
			"quantization_config":{"quant_method":"awq","bits":4}}`,
		"tokenizer.json":        `{}`,
		"tokenizer_config.json": `{"chat_template":[{"name":"rag","template":"r"},{"name":"default","template":"{{ messages }}"}]}`,
		"model.safetensors.index.json": `{"metadata":{"total_size":1},"weight_map":{
			"a.qweight":"model-00001-of-00002.safetensors","a.scales":"model-00001-of-00002.safetensors",
			"b.weight":"model-00002-of-00002.safetensors"}}`,
		"model-00001-of-00002.safetensors": safetensors(
			spec{"a.qweight", "I32", []int64{8, 2}}, spec{"a.scales", "F16", []int64{4}}),
		"model-00002-of-00002.safetensors": safetensors(spec{"b.weight", "F16", []int64{10}}),
		"consolidated.safetensors":         safetensors(spec{"dup", "F16", []int64{1000}}),
	}
}

func TestGolden(t *testing.T) {
	tr := host(t)
	o := Options{Paths: []string{tr.path("models")}, HFCache: tr.path("hub")}
	artifacts, findings := scan(t, o)
	if len(findings) != 0 {
		t.Errorf("findings: %v", findings)
	}
	data, err := encode(&engine.Discovered{Artifacts: artifacts})
	if err != nil {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(string(data), tr.root, "/ROOT")
	golden := filepath.Join("testdata", "discovered.golden.json")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Error(d)
	}

	o = Options{Paths: []string{tr.path("hub"), tr.path("models/B"), tr.path("models")}, Workers: 1}
	again, _ := scan(t, o) // other order, overlapping roots, cache found by walking
	if d := cmp.Diff(artifacts, again); d != "" {
		t.Errorf("the second scan differs: %s", d)
	}
}

func TestProgress(t *testing.T) {
	tr := host(t)
	var seen []int
	artifacts, _ := scan(t, Options{Paths: []string{tr.path("models")}, Workers: 4, Progress: func(done, total int, path string) {
		if total != 3 || path == "" {
			t.Errorf("total %d, path %q", total, path)
		}
		seen = append(seen, done)
	}})
	if !slices.Equal(seen, []int{1, 2, 3}) || len(artifacts) != 3 {
		t.Errorf("seen %v, %d artifacts", seen, len(artifacts))
	}
}

func TestCanceled(t *testing.T) {
	tr := host(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Scan(ctx, Options{Paths: []string{tr.path("models")}}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestRoots(t *testing.T) {
	tr := newTree(t)
	tr.write("file", "x")
	missing, file := tr.path("missing"), tr.path("file")
	_, findings := scan(t, Options{Paths: []string{missing, file}, HFCache: missing})
	want := []Finding{{file, "is not a directory", true}, {missing, "is missing", true}}
	if d := cmp.Diff(want, findings); d != "" {
		t.Error(d)
	}
	if _, findings := scan(t, Options{HFCache: missing, AssumedHFCache: true}); len(findings) != 0 {
		t.Errorf("assumed cache: %v", findings)
	}
}

func TestPartsOfACache(t *testing.T) {
	tr := host(t)
	two := "hub/models--org--two"
	for path, want := range map[string][]string{
		two:                           {commitA, commitB},
		two + "/snapshots/" + commitB: {commitB},
		two + "/snapshots":            {commitA, commitB},
	} {
		artifacts, findings := scan(t, Options{Paths: []string{tr.path(path)}})
		var got []string
		for _, a := range artifacts {
			got = append(got, a.Revision)
		}
		if !slices.Equal(got, want) || len(findings) != 0 {
			t.Errorf("%s: %v %v", path, got, findings)
		}
	}
	_, findings := scan(t, Options{Paths: []string{tr.path(two + "/snapshots/0")}})
	if len(findings) != 1 || !findings[0].Named {
		t.Errorf("no such snapshot: %v", findings)
	}
}

func TestRootThatIsALink(t *testing.T) {
	tr := newTree(t)
	tr.files("real/m", llama())
	tr.link("alias", "real")
	artifacts, _ := scan(t, Options{Paths: []string{tr.path("alias")}})
	if len(artifacts) != 1 || artifacts[0].Source != "file://"+tr.path("alias/m") || !artifacts[0].Complete {
		t.Errorf("got %+v", artifacts)
	}
	both, _ := scan(t, Options{Paths: []string{tr.path("real"), tr.path("alias")}})
	if len(both) != 1 {
		t.Errorf("counted twice: %+v", both)
	}
}

func TestLinksStayInside(t *testing.T) {
	tr := newTree(t)
	tr.files("elsewhere/m", llama())
	tr.files("models/linked", with(llama(), "model.safetensors", ""))
	tr.link("models/linked/model.safetensors", tr.path("elsewhere/m/model.safetensors"))
	tr.link("models/out", "../elsewhere")
	tr.link("models/loop", "loop")
	tr.link("models/up", "..")

	artifacts, findings := scan(t, Options{Paths: []string{tr.path("models")}})
	outside := " leads to " + tr.path("elsewhere/m/model.safetensors") + ", outside what is scanned (scan that directory too)"
	if len(artifacts) != 1 || !slices.Equal(artifacts[0].Problems, []string{"model.safetensors" + outside}) {
		t.Errorf("got %+v", artifacts)
	}
	want := []Finding{
		{tr.path("models/out"), "leads to " + tr.path("elsewhere") + ", outside what is scanned (scan that directory too)", false},
		{tr.path("models/up"), "leads to " + tr.root + ", outside what is scanned (scan that directory too)", false},
	}
	if d := cmp.Diff(want, findings); d != "" {
		t.Error(d)
	}

	artifacts, findings = scan(t, Options{Paths: []string{tr.path("models"), tr.path("elsewhere")}})
	if len(artifacts) != 2 || !artifacts[0].Complete || !artifacts[1].Complete || len(findings) != 1 {
		t.Errorf("with both roots: %+v %v", artifacts, findings)
	}
}

func TestNeverOpensPipes(t *testing.T) {
	tr := newTree(t)
	tr.files("m", with(llama(), "model.safetensors", "", "config.json", ""))
	for _, name := range []string{"m/model.safetensors", "m/config.json", "m/README.md", "m/chat_template.jinja"} {
		if err := unix.Mkfifo(tr.path(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	artifacts, _ := scan(t, Options{Paths: []string{tr.root}}) // a read of a pipe would hang
	want := []string{
		"config.json is not a regular file",
		"model.safetensors is not a regular file",
		"chat_template.jinja is not a regular file",
	}
	if len(artifacts) != 1 || !slices.Equal(artifacts[0].Problems, want) {
		t.Errorf("got %+v", artifacts)
	}
}

func TestPermissions(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything; run as another user to test permissions")
	}
	tr := newTree(t)
	tr.files("models/m", llama())
	tr.files("models/closed/n", llama())
	for path, mode := range map[string]os.FileMode{"models/m/tokenizer.json": 0, "models/closed": 0} {
		if err := os.Chmod(tr.path(path), mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(tr.path("models/closed"), 0o755) })
	artifacts, findings := scan(t, Options{Paths: []string{tr.path("models")}})
	const denied = "cannot be read: permission denied"
	if d := cmp.Diff([]Finding{{tr.path("models/closed"), denied, false}}, findings); d != "" {
		t.Error(d)
	}
	if len(artifacts) != 1 || !slices.Equal(artifacts[0].Problems, []string{"tokenizer.json " + denied}) {
		t.Errorf("got %+v", artifacts)
	}
}

func TestDepthIsBounded(t *testing.T) {
	tr := newTree(t)
	deep := strings.Repeat("d/", maxScanDepth-1)
	tr.files(deep+"in", llama())
	tr.files(deep+"d/out", llama())
	artifacts, _ := scan(t, Options{Paths: []string{tr.root}})
	if len(artifacts) != 1 || filepath.Base(artifacts[0].Path) != "in" {
		t.Errorf("got %+v", artifacts)
	}
}
