package view

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/apply"
	"github.com/loadoutdev/loadout/providers/artifact"
)

const modelsHCL = `variable "weights" {
  type = string
}

model "qwen2.5-vl-7b-instruct_(AWQ)" {
  backend = "vllm"

  args = {
    max_modle_len = 4096
	dtype = "auto"
  }
}

model "one-line" {}
`

type code string

func (c code) Code() string { return string(c) }

func mistakes(t *testing.T) (hcl.Diagnostics, map[string]*hcl.File) {
	t.Helper()
	parser := hclparse.NewParser()
	if _, diags := parser.ParseHCL([]byte(modelsHCL), "models.hcl"); diags.HasErrors() {
		t.Fatal(diags)
	}
	span := func(line, from, to int) *hcl.Range {
		start := strings.Index(modelsHCL, lines(modelsHCL)[line-1])
		return &hcl.Range{
			Filename: "models.hcl", Start: hcl.Pos{Line: line, Column: from, Byte: start + from - 1}, End: hcl.Pos{Line: line, Column: to, Byte: start + to - 1},
		}
	}
	block := span(5, 1, 1)
	block.End = hcl.Pos{Line: 12, Column: 2}
	return hcl.Diagnostics{
		{
			Severity: hcl.DiagError, Summary: `unknown argument "max_modle_len"`, Subject: span(9, 5, 18), Extra: code("unknown_argument"),
			Detail: "vLLM 0.32 has no such option. Did you mean max_model_len? The whole list of options is long, so that this sentence has to be broken.",
		},
		{Severity: hcl.DiagError, Summary: "top-level place", Subject: span(1, 1, 9), Detail: "Two lines.\n  loadout fmt --check ./a/rather/long/path/that/must/not/be/broken/because/it/is/to/be/pasted.hcl"},
		{Severity: hcl.DiagWarning, Summary: "a whole block", Subject: block},
		{Severity: hcl.DiagError, Summary: "a file that is not at hand", Subject: &hcl.Range{Filename: "gone.hcl", Start: hcl.Pos{Line: 3, Column: 1}}},
		{Severity: hcl.DiagError, Summary: "no place \x1b[31mat all"},
	}, parser.Files()
}

func TestDiagnosticsGolden(t *testing.T) {
	diags, files := mistakes(t)
	show := func(s *Screen) error { return Diagnostics(s, diags, files) }
	golden(t, "diagnostics", draw(t, terminal, show))
	golden(t, "diagnostics_piped", draw(t, piped, show))
	golden(t, "diagnostics_color", draw(t, colored, show))
	golden(t, "diagnostics_one", draw(t, terminal, func(s *Screen) error { return Diagnostics(s, diags[:1], files) }))
	joined := errors.Join(errors.New("port 24001 is taken"), errors.New("port 24002 too"))
	golden(t, "diagnostics_joined", draw(t, terminal, func(s *Screen) error {
		return Diagnostics(s, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: joined.Error()}}, nil)
	}))
	var b bytes.Buffer
	if err := DiagnosticsJSON(&b, diags, files); err != nil {
		t.Fatal(err)
	}
	golden(t, "diagnostics.json", b.Bytes())
}

// A range that lies about its file must not break the message.
func TestDiagnosticsWithImpossibleRanges(t *testing.T) {
	_, files := mistakes(t)
	for _, r := range []hcl.Range{
		{Filename: "models.hcl", Start: hcl.Pos{Line: 900, Column: 3, Byte: 90000}, End: hcl.Pos{Line: 901}},
		{Filename: "models.hcl", Start: hcl.Pos{Line: 9, Column: 400}, End: hcl.Pos{Line: 9, Column: 2}},
		{Filename: "models.hcl", Start: hcl.Pos{Line: 9, Column: 1}, End: hcl.Pos{Line: 3, Column: 1}},
		{Filename: "models.hcl"},
	} {
		out := string(draw(t, terminal, func(s *Screen) error {
			return Diagnostics(s, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "odd", Subject: &r}}, files)
		}))
		if !strings.HasPrefix(out, "Error: odd\n\n  on models.hcl") {
			t.Errorf("%v: %s", r, out)
		}
	}
}

func explanation() engine.Explanation {
	since := time.Date(2026, 11, 20, 8, 57, 3, 0, time.UTC)
	return engine.Explanation{Model: "qwen2.5-vl", Live: true, Pid: 4111, Since: &since, Fields: []engine.ExplainedField{
		{
			Path: "args.max_model_len", Value: int64(4096), Origin: inModel(21), Snapshot: int64(2048), Running: int64(2048), Recorded: true, Seen: true,
			Overrides: []engine.Override{{Value: int64(8192), Origin: inBackend(7)}},
		},
		{Path: "args.enforce_eager", Value: true, Origin: inModel(22), Seen: true},
		{Path: "args.limit_mm_per_prompt.image", Value: int64(2), Origin: inModel(24), Snapshot: int64(2), Running: int64(2), Recorded: true, Seen: true},
		{Path: "args.swap_space", Value: nil, Origin: inServe(9), Overrides: []engine.Override{{Value: int64(4), Origin: inModel(25)}}},
		{Path: "chat_template", Value: "a\nb\n", Origin: inModel(30), Snapshot: "a\n", Recorded: true},
		{Path: "env.HF_TOKEN", Value: engine.NewSecret("w", "canary"), Origin: inModel(31), Snapshot: engine.NewSecret("w", "canary"), Recorded: true},
		{Path: "port", Snapshot: int64(1), Recorded: true},
	}}
}

func TestExplainGolden(t *testing.T) {
	x := explanation()
	golden(t, "explain_live", draw(t, terminal, func(s *Screen) error { return Explain(s, x) }))
	var b bytes.Buffer
	if err := ExplainJSON(&b, x); err != nil {
		t.Fatal(err)
	}
	golden(t, "explain.json", b.Bytes())
	x.Live, x.Pid, x.Since = false, 0, nil
	golden(t, "explain", draw(t, ascii, func(s *Screen) error { return Explain(s, x) }))
	x.Fields = x.Fields[4:5]
	golden(t, "explain_one", draw(t, terminal, func(s *Screen) error { return Explain(s, x) }))
	x.Live, x.Note = true, "not running: nothing is recorded"
	golden(t, "explain_unseen", draw(t, terminal, func(s *Screen) error { return Explain(s, x) }))
}

func rows() []engine.Row {
	return []engine.Row{
		{Name: "qwen2.5-vl-7b-instruct_(AWQ)", Aliases: []string{"chat/default"}, Backend: "vllm", State: "serving", Port: 24001, GPUs: []string{"0"}, MemoryBytes: 112 * gib / 10, Roles: map[string]int64{"narration": 90, "caption": 95}},
		{Name: "tiny-llama", Backend: "ollama", State: "gone", Roles: map[string]int64{"chat": 50}, Testing: true},
		{Name: "catalog-only", State: "registered", Deprecated: true},
	}
}

func TestListGolden(t *testing.T) {
	golden(t, "list", draw(t, piped, func(s *Screen) error { return List(s, rows()) }))
	golden(t, "list_empty", draw(t, piped, func(s *Screen) error { return List(s, nil) }))
	var b bytes.Buffer
	if err := ListJSON(&b, rows()); err != nil {
		t.Fatal(err)
	}
	golden(t, "list.json", b.Bytes())
}

func TestDriftGolden(t *testing.T) {
	items := []engine.DriftItem{
		{Model: "tiny-llama", Code: engine.ReasonProcessGone, Snapshot: "ready", Live: "gone", Detail: "process 4242 is gone"},
		{Model: "qwen2.5-vl", Code: engine.ReasonAnswersDifferently, Path: "args.max_model_len", Snapshot: int64(4096), Live: int64(2048)},
		{Model: "qwen2.5-vl", Code: engine.ReasonProcessDiffers, Path: "args.dtype", Snapshot: "auto", Live: nil},
		{Model: "qwen2.5-vl", Code: engine.ReasonArtifactChanged, Path: "artifact", Snapshot: "a", Live: "b"},
		{Model: "gemma", Code: engine.ReasonHung, Snapshot: "ready", Live: "hung"},
	}
	unknown := engine.Live{Instance: engine.Instance{Model: "phi"}, State: engine.StateUnknown, Detail: "permission denied"}
	next := "loadout plan -w rtx4080"
	golden(t, "drift", draw(t, terminal, func(s *Screen) error { return Drift(s, "rtx4080", items, 5, next, unknown) }))
	golden(t, "drift_none", draw(t, terminal, func(s *Screen) error { return Drift(s, "rtx4080", nil, 4, next) }))
	golden(t, "drift_unknown", draw(t, terminal, func(s *Screen) error { return Drift(s, "rtx4080", nil, 4, next, unknown) }))
	var b bytes.Buffer
	if err := DriftJSON(&b, "rtx4080", items, unknown); err != nil {
		t.Fatal(err)
	}
	golden(t, "drift.json", b.Bytes())
}

func TestShowGolden(t *testing.T) {
	snap := &engine.Snapshot{
		FormatVersion: "1.0", Lineage: "5f0c2a", Serial: 42, Workspace: "rtx4080",
		Models: []engine.Entry{
			{
				Name: "tiny", Served: true, Origins: map[string]string{"args.max_model_len": "models.hcl:4", "env.KEY": "models.hcl:5"},
				Values: map[string]any{"args": map[string]any{"max_model_len": int64(512)}, "env": map[string]any{"KEY": engine.NewSecret("w", "canary")}},
			},
			{Name: "listed", Values: map[string]any{"backend": "vllm"}},
		},
		Instances: []engine.Instance{{
			Model: "tiny", Backend: "vllm", ID: "7", Pid: 5150, Log: "logs/tiny/7.log", StartedAt: time.Date(2026, 11, 20, 8, 57, 0, 0, time.UTC),
			ReadySeconds: 41, MemoryBytes: gib, Launch: engine.Launch{URL: "http://127.0.0.1:24001"},
		}},
	}
	out := draw(t, terminal, func(s *Screen) error {
		return Show(s, snap, []engine.Unfinished{{Op: engine.OpStart, Model: "tiny"}})
	})
	golden(t, "show", out)
	if bytes.Contains(out, []byte("canary")) {
		t.Error("show prints a secret")
	}
}

func TestDiscoveredGolden(t *testing.T) {
	artifacts := []engine.Artifact{
		{Source: "file:///srv/a", Facts: engine.Facts{Format: "safetensors", Quantization: "awq", Architecture: "Qwen2_5_VL", WeightBytes: 69 * gib / 10, Complete: true}},
		{Source: "hf://org/b", Revision: "abc", Facts: engine.Facts{Problems: []string{"shard 2 of 4 is missing"}}},
	}
	sum := artifact.Summary{Found: []string{"file:///srv/a", "hf://org/b@abc"}, New: []string{"hf://org/b@abc"}, Gone: []string{"file:///srv/c"}, Incomplete: []string{"hf://org/b@abc"}}
	findings := []artifact.Finding{{Path: "/srv/broken", Problem: "permission denied", Named: true}}
	golden(t, "discovered_narrow", draw(t, terminal, func(s *Screen) error {
		long := append([]engine.Artifact{}, artifacts...)
		long[0].Source = "file:///srv/models/a/folder/whose/name/alone/fills/more/than/half/of/the/line"
		return Discovered(s, "discovered.json", long, sum, append(findings, artifact.Finding{Path: long[0].Source, Problem: "config.json cannot be read"}))
	}))
	golden(t, "discovered", draw(t, terminal, func(s *Screen) error { return Discovered(s, "discovered.json", artifacts, sum, findings) }))
}

func TestFileDiffGolden(t *testing.T) {
	var b bytes.Buffer
	if err := FileDiff(piped(&b), "models.hcl", []byte("a = 1\nbb = 2\n\nc = 3\n"), []byte("a  = 1\nbb = 2\n\nc = 3\n")); err != nil {
		t.Fatal(err)
	}
	golden(t, "filediff", b.Bytes())
}

func failedRun() (*engine.Plan, *apply.Result) {
	r := restart()
	r.Desired = &engine.Model{Leaves: []engine.Leaf{{Path: "args.max_model_len", Value: int64(4096), Origin: inModel(21)}}}
	plan := planOf(0, stop(), r, crashed(), create())
	cause := &engine.StartError{
		Class: "kv_cache", Cause: "vLLM: the KV cache of one request at max_model_len 4096 needs 1.8 GiB, 1.1 GiB are left (GPU 0)",
		Hint: "set max_model_len to 2464 or less", Field: "args.max_model_len", Log: "logs/qwen/7.log", Status: "exit status 1",
	}
	return plan, &apply.Result{Serial: 43, Outcomes: []apply.Outcome{
		{Model: "old-chat", Action: engine.ActionStop, Status: apply.Applied, Seconds: 3},
		{
			Model: r.Model, Action: engine.ActionRestart, Status: apply.PutBack, Detail: "as in snapshot 41", Pid: 5150, Seconds: 92,
			Err: fmt.Errorf("model %q: %w", r.Model, cause), Start: cause, Log: "logs/qwen/8.log",
		},
		{Model: "tiny-llama", Action: engine.ActionRestart, Status: apply.NotStarted, Detail: "after the failure of " + r.Model},
		{Model: "whisper-large-v3", Action: engine.ActionCreate, Status: apply.NotStarted, Detail: "after the failure of " + r.Model},
	}}
}

func TestApplyResultGolden(t *testing.T) {
	plan, failed := failedRun()
	show := func(r *apply.Result) func(*Screen) error {
		return func(s *Screen) error { return ApplyResult(s, plan, r, ".loadout/rtx4080") }
	}
	golden(t, "result_put_back", draw(t, terminal, show(failed)))
	var b bytes.Buffer
	if err := ApplyJSON(&b, plan, failed); err != nil {
		t.Fatal(err)
	}
	golden(t, "result.json", b.Bytes())

	worse := *failed
	worse.Outcomes = append([]apply.Outcome{}, failed.Outcomes...)
	worse.Outcomes[1].Status, worse.Outcomes[1].Detail, worse.Outcomes[1].Pid = apply.Failed, "left stopped: what ran before did not start again", 0
	worse.Outcomes[1].Err = fmt.Errorf("model %q: %w", worse.Outcomes[1].Model, errors.Join(failed.Outcomes[1].Start, errors.New("put back: port 24001 is taken by pid 9")))
	golden(t, "result_failed", draw(t, colored, show(&worse)))

	stopped := &apply.Result{Interrupted: true, Serial: 42, Outcomes: []apply.Outcome{
		failed.Outcomes[0],
		{Model: failed.Outcomes[1].Model, Action: engine.ActionRestart, Status: apply.NotStarted, Detail: "interrupted"},
		{Model: "tiny-llama", Action: engine.ActionRestart, Status: apply.Failed, Err: errors.New(`model "tiny-llama": stop: permission denied`), Seconds: 0.2},
		{Model: "whisper-large-v3", Action: engine.ActionCreate, Status: apply.Skipped, Detail: "model-00002.safetensors differs from the lock"},
	}}
	golden(t, "result_interrupted", draw(t, terminal, show(stopped)))

	good := &apply.Result{Serial: 44, Outcomes: []apply.Outcome{
		failed.Outcomes[0],
		{Model: failed.Outcomes[1].Model, Action: engine.ActionRestart, Status: apply.Applied, Pid: 5150, Seconds: 92},
		{Model: "tiny-llama", Action: engine.ActionRestart, Status: apply.Applied, Seconds: 4},
		{Model: "whisper-large-v3", Action: engine.ActionCreate, Status: apply.Applied, Pid: 5151, Seconds: 200},
	}}
	golden(t, "result_ok", draw(t, terminal, show(good)))

	end := planOf(0, stop(), forget())
	end.Destroy = true
	ended := &apply.Result{Serial: 45, Outcomes: []apply.Outcome{
		{Model: "old-chat", Action: engine.ActionStop, Status: apply.Applied, Seconds: 3},
		{Model: "handed-over", Action: engine.ActionForget, Status: apply.Applied},
	}}
	golden(t, "result_destroyed", draw(t, terminal, func(s *Screen) error { return ApplyResult(s, end, ended, ".loadout/rtx4080") }))
	ended.Interrupted = true
	ended.Outcomes[0] = apply.Outcome{Model: "old-chat", Action: engine.ActionStop, Status: apply.NotStarted, Detail: "interrupted"}
	golden(t, "result_destroy_interrupted", draw(t, terminal, func(s *Screen) error { return ApplyResult(s, end, ended, ".loadout/rtx4080") }))
}
