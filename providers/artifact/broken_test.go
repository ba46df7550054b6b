package artifact

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/loadoutdev/loadout/engine"
)

const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 4000\n"

// Every way in which a directory may fail to be a whole model.
func TestBrokenModels(t *testing.T) {
	whole := llama()["model.safetensors"]
	shard := func(name string) string { return `{"weight_map":{"model.embed_tokens.weight":"` + name + `"}}` }
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"whole", llama(), nil},
		{"no weights", with(llama(), "model.safetensors", ""), []string{"no weights: there is no safetensors file"}},
		{"no config", with(llama(), "config.json", ""), []string{"config.json is missing"}},
		{"no tokenizer", with(llama(), "tokenizer.json", ""), []string{
			"no tokenizer: none of tokenizer.json, tekken.json, tokenizer.model is there",
		}},
		{"vocabulary without merges", with(llama(), "tokenizer.json", "", "vocab.json", "{}"), []string{
			"no tokenizer: none of tokenizer.json, tekken.json, tokenizer.model is there",
		}},
		{"config is no JSON", with(llama(), "config.json", "{"), []string{
			"config.json is not a JSON object: unexpected end of JSON input",
		}},
		{"config is nested", with(llama(), "config.json", strings.Repeat("[", 200)), []string{
			"config.json is nested deeper than 100 levels",
		}},
		{"config is huge", with(llama(), "config.json", strings.Repeat(" ", maxConfig+1)), []string{
			"config.json has 10485761 bytes; at most 10485760 are read",
		}},
		{"cut short", with(llama(), "model.safetensors", whole[:len(whole)-1]), []string{
			"model.safetensors is cut short: 11 of 12 bytes of tensors",
		}},
		{"too long", with(llama(), "model.safetensors", whole+"x"), []string{
			"model.safetensors has 1 bytes after the last tensor",
		}},
		{"LFS pointers", with(llama(), "model.safetensors", pointer, "tokenizer.json", pointer), []string{
			"model.safetensors is a Git LFS pointer, not the file itself (run git lfs pull)",
			"tokenizer.json is a Git LFS pointer, not the file itself (run git lfs pull)",
		}},
		{"shard of the index is missing", with(llama(), "model.safetensors", "", modelIndex, shard("model-00001-of-00001.safetensors")),
			[]string{"model-00001-of-00001.safetensors is missing"}},
		{"shard without index is missing", with(llama(), "model.safetensors", "", "model-00002-of-00002.safetensors", whole),
			[]string{"model-00001-of-00002.safetensors is missing, and so is the index that would name all shards"}},
		{"index leads elsewhere", with(llama(), modelIndex, shard("../m/model.safetensors")), []string{
			`model.safetensors.index.json names "../m/model.safetensors", which is not a file of this directory`,
		}},
		{"index is no JSON", with(llama(), modelIndex, "["), []string{
			"model.safetensors.index.json is not valid JSON: unexpected end of JSON input",
		}},
		{"index is empty", with(llama(), modelIndex, "{}"), []string{"model.safetensors.index.json has no weight_map"}},
		{"tensor of the index is missing", with(llama(), modelIndex, `{"weight_map":{"other":"model.safetensors"}}`), []string{
			"model.safetensors lacks 1 tensors that model.safetensors.index.json places in it (other)",
		}},
		{"pickled", with(llama(), "model.safetensors", "", "pytorch_model.bin", "x"), []string{
			"pytorch_model.bin holds pickled weights, which are not read (convert them to safetensors)",
		}},
		{"unfinished", with(llama(), "model.safetensors.aria2", "x", ".cache/huggingface/download/sub/a.etag.incomplete", "x"), []string{
			"model.safetensors.aria2: a download is running or broke off (finish it, or delete this file)",
			".cache/huggingface/download/sub/a.etag.incomplete: a download is running or broke off (finish it, or delete this file)",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := one(t, tc.files)
			if !slices.Equal(a.Problems, tc.want) {
				t.Errorf("got  %q\nwant %q", a.Problems, tc.want)
			}
			if a.Complete != (tc.want == nil) {
				t.Errorf("complete: %v", a.Complete)
			}
		})
	}
}

func TestManyProblemsAreBounded(t *testing.T) {
	var entries []string
	for i := range 1000 {
		entries = append(entries, `"t`+strings.Repeat("x", i)+`":"f`+strings.Repeat("x", i%200)+`.safetensors"`)
	}
	a := one(t, with(llama(), modelIndex, `{"weight_map":{`+strings.Join(entries, ",")+`}}`))
	if n := len(a.Problems); n != maxProblems+1 || a.Problems[n-1] != "and more of this kind" {
		t.Errorf("%d problems", n)
	}
}

func TestBrokenCaches(t *testing.T) {
	const repo = "hub/models--org--m"
	main := repo + "/snapshots/" + commitA
	for _, tc := range []struct {
		name     string
		breakIt  func(tr tree)
		want     []string // problems of the artifact of refs/main
		findings []string
	}{
		{name: "blob is gone", breakIt: func(tr tree) {
			_ = os.Remove(tr.path(repo + "/blobs/aaaa-model.safetensors"))
		}, want: []string{"model.safetensors is a link to nothing"}},
		{name: "blob is being fetched", breakIt: func(tr tree) {
			tr.write(repo+"/blobs/e7a9.5f3c.incomplete", "x")
		}, want: []string{"blobs/e7a9.5f3c.incomplete: a download is running or broke off (finish it, or delete this file)"}},
		{name: "leftover of a blob that is there", breakIt: func(tr tree) {
			tr.write(repo+"/blobs/e7a9.incomplete", "x")
			tr.write(repo+"/blobs/e7a9", "whole")
		}},
		{name: "main moved on", breakIt: func(tr tree) {
			tr.write(repo+"/refs/main", commitC)
		}, want: []string{"refs/main names commit " + commitC + ", of which there is no snapshot (download it again)"}},
		{name: "loop", breakIt: func(tr tree) {
			_ = os.Remove(tr.path(main + "/tokenizer.json"))
			tr.link(main+"/tokenizer.json", "tokenizer.json")
		}, want: []string{"tokenizer.json is a link that leads to itself"}},
		{name: "link out of the cache", breakIt: func(tr tree) {
			_ = os.Remove(tr.path(main + "/tokenizer.json"))
			tr.write("secret", "x")
			tr.link(main+"/tokenizer.json", "../../../../secret")
		}, want: []string{"tokenizer.json leads to ROOT/secret, outside what is scanned (scan that directory too)"}},
		{name: "hostile ref", breakIt: func(tr tree) {
			tr.write(repo+"/refs/evil", "../../..")
		}, findings: []string{"ROOT/" + repo + "/refs/evil does not hold a commit (delete it and download the model again)"}},
		{name: "huge ref", breakIt: func(tr tree) {
			tr.write(repo+"/refs/evil", strings.Repeat("a", maxRef+1))
		}, findings: []string{"ROOT/" + repo + "/refs/evil has 4097 bytes; at most 4096 are read"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tr := newTree(t)
			tr.snapshot(repo, commitA, llama())
			tr.write(repo+"/refs/main", commitA)
			tc.breakIt(tr)
			artifacts, findings := scan(t, Options{HFCache: tr.path("hub")})
			a, ok := Index(&engine.Discovered{Artifacts: artifacts})("hf://org/m")
			if !ok {
				t.Fatalf("no artifact: %v", artifacts)
			}
			var problems, found []string
			for _, p := range a.Problems {
				problems = append(problems, strings.ReplaceAll(p, tr.root, "ROOT"))
			}
			for _, f := range findings {
				found = append(found, strings.ReplaceAll(f.Path+" "+f.Problem, tr.root, "ROOT"))
			}
			if !slices.Equal(problems, tc.want) || !slices.Equal(found, tc.findings) {
				t.Errorf("problems %q, findings %q", problems, found)
			}
		})
	}
}
