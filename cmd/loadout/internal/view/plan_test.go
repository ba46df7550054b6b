package view

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/loadoutdev/loadout/engine"
)

type planCase struct {
	name   string
	plan   *engine.Plan
	o      PlanOptions
	screen func(*bytes.Buffer) *Screen
}

func planCases() []planCase {
	main := func() *engine.Plan {
		p := planOf(1, stop(), restart(), crashed(), create())
		p.GPUs = []engine.GPUBudget{budget(true, 112*gib/10, 139*gib/10)}
		p.Drift = []engine.DriftItem{
			{Model: "tiny-llama", Code: engine.ReasonProcessGone, Snapshot: "ready", Live: "gone", Detail: "process 4242 is gone (exit unknown), last seen 2026-11-20 09:12"},
			{Model: "qwen2.5-vl-7b-instruct_(AWQ)", Code: engine.ReasonAnswersDifferently, Path: "args.max_model_len", Snapshot: int64(4096), Live: int64(2048)},
		}
		p.Summary.Drift = 2
		return p
	}
	over := planOf(0, restart())
	over.GPUs = []engine.GPUBudget{budget(false, -1, 174*gib/10)}
	over.Problems = []engine.Problem{{Severity: engine.SeverityError, Code: "gpu_over"}}
	unknown := planOf(0, restart())
	unknown.GPUs = []engine.GPUBudget{budget(true, 2*gib, -1)}
	offline := planOf(2, restart())
	offline.Refreshed = false
	checks := planOf(0, updateHot())
	checks.Checks = []engine.CheckResult{
		{Name: "one_chat_default", Severity: engine.SeverityError, Message: "exactly one model answers as chat/default", Origin: inModel(99)},
		{Name: "ports", Passed: true, Severity: engine.SeverityError},
	}
	quiet := planOf(4)
	quietOffline := planOf(4)
	quietOffline.Refreshed = false
	drifted := planOf(4)
	drifted.Drift = main().Drift[1:]
	empty := planOf(0)
	empty.Serial, empty.Lineage = 0, ""
	first := planOf(0, create())
	first.Serial, first.Lineage = 0, ""
	const next = "loadout apply -w rtx4080   (or --out plan.json to have it approved first)"
	return []planCase{
		{"plan_main", main(), PlanOptions{Next: next}, terminal},
		{"plan_main_piped", main(), PlanOptions{Next: next}, piped},
		{"plan_main_ascii", main(), PlanOptions{Next: next}, ascii},
		{"plan_main_color", main(), PlanOptions{Next: next}, colored},
		{"plan_main_full", main(), PlanOptions{Full: true, Next: next}, terminal},
		{"plan_over", over, PlanOptions{Next: next}, terminal},
		{"plan_unknown_memory", unknown, PlanOptions{}, terminal},
		{"plan_offline", offline, PlanOptions{}, terminal},
		{"plan_checks", checks, PlanOptions{}, terminal},
		{"plan_none", quiet, PlanOptions{}, terminal},
		{"plan_none_offline", quietOffline, PlanOptions{}, terminal},
		{"plan_none_drift", drifted, PlanOptions{}, terminal},
		{"plan_empty", empty, PlanOptions{}, terminal},
		{"plan_first", first, PlanOptions{Next: "loadout apply -w rtx4080"}, terminal},
		{"plan_destroy", planOf(0, stop(), forget()), PlanOptions{Destroy: true}, terminal},
		{"plan_kinds", planOf(3, stop(), forget(), adopt(), updateHot(), reload(), create(), register(), replaced(), world()), PlanOptions{}, terminal},
		{"plan_arguments", planOf(0, arguments70()), PlanOptions{}, terminal},
		{"plan_hostile", planOf(0, hostile()), PlanOptions{}, terminal},
		{"plan_unicode", planOf(0, unicodeNames(), crashed()), PlanOptions{}, terminal},
		{"plan_unicode_ascii", planOf(0, unicodeNames(), crashed()), PlanOptions{}, ascii},
	}
}

func TestPlanGolden(t *testing.T) {
	for _, c := range planCases() {
		t.Run(c.name, func(t *testing.T) {
			out := draw(t, c.screen, func(s *Screen) error { return Plan(s, c.plan, c.o) })
			golden(t, c.name, out)
			if strings.Contains(string(out), "canary") {
				t.Error("the plan shows a secret")
			}
		})
	}
}

// Somebody who reads only the end must be right.
func TestPlanEndingStandsAlone(t *testing.T) {
	var changes []engine.Change
	for i := range 40 {
		c := restart()
		c.Model = fmt.Sprintf("m%02d", i)
		changes = append(changes, c)
	}
	out := string(draw(t, piped, func(s *Screen) error {
		return Plan(s, planOf(2, changes...), PlanOptions{Next: "loadout apply -w rtx4080"})
	}))
	all := lines(out)
	last := strings.Join(all[len(all)-8:], "\n")
	for _, want := range []string{"restart  m39", "Plan: 40 restarts, 2 unchanged.", "about 95 s", "Next: loadout apply -w rtx4080"} {
		if !strings.Contains(last, want) {
			t.Errorf("the last eight lines lack %q:\n%s", want, last)
		}
	}
}

// A cause is said once, and what did not cause a restart is not said at all.
func TestPlanSaysWhyOnce(t *testing.T) {
	twice := crashed()
	twice.Reasons = []engine.Reason{
		{Code: engine.ReasonAnswersDifferently, Detail: "the tag was made again"},
		{Code: engine.ReasonAnswersDifferently, Path: "digest"},
	}
	told := restart()
	told.Fields = []engine.FieldChange{
		changed("capabilities.chat", nil, true, engine.EffectHot, inModel(9)),
		changed("facts.context_length", int64(1), int64(2), engine.EffectHot, inModel(9)),
	}
	told.Reasons = append(because(engine.ReasonConfigChanged, "capabilities.chat"),
		engine.Reason{Code: engine.ReasonFactsChanged, Path: "facts.context_length"},
		engine.Reason{Code: engine.ReasonFactsChanged, Path: "launch", Detail: "the command line would differ"})
	for _, c := range []struct {
		change engine.Change
		want   []string
	}{
		{twice, []string{"why: the tag was made again\n", "  restart  tiny-llama  answers differently in digest\n"}},
		{told, []string{
			"why: the command line would differ\n       the facts on disk changed: context_length\n",
			"  restart  qwen2.5-vl-7b-instruct_(AWQ)  the command line would differ, context_length\n",
		}},
	} {
		out := string(draw(t, piped, func(s *Screen) error { return Plan(s, planOf(0, c.change), PlanOptions{}) }))
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("lacks %q:\n%s", want, out)
			}
		}
	}
}

func TestPlanIsNeverWrappedInALog(t *testing.T) {
	c := crashed()
	c.Reasons[0].Detail = strings.Repeat("word ", 60) + "end"
	out := string(draw(t, piped, func(s *Screen) error { return Plan(s, planOf(0, c), PlanOptions{}) }))
	if !strings.Contains(out, "why: "+c.Reasons[0].Detail+"\n") {
		t.Errorf("the reason was broken:\n%s", out)
	}
	for i, l := range lines(string(draw(t, terminal, func(s *Screen) error { return Plan(s, planOf(0, c), PlanOptions{}) }))) {
		if cells(l) > 80 {
			t.Errorf("line %d is wider than the terminal: %q", i+1, l)
		}
	}
}

func TestWriteErrorIsReported(t *testing.T) {
	if err := Plan(&Screen{W: brokenWriter{}, Width: 80}, planOf(0), PlanOptions{}); err == nil {
		t.Error("a plan that could not be written was taken for shown")
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, fmt.Errorf("no space left") }

func manyChanges(n int) *engine.Plan {
	changes := make([]engine.Change, n)
	for i := range changes {
		changes[i] = restart()
		changes[i].Model = fmt.Sprintf("model-%05d", i)
	}
	p := planOf(0, changes...)
	p.GPUs = []engine.GPUBudget{budget(true, gib, 2*gib)}
	return p
}

func BenchmarkPlan(b *testing.B) {
	for _, n := range []int{300, 3000} {
		p := manyChanges(n)
		b.Run(fmt.Sprintf("text/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var out bytes.Buffer
				if err := Plan(piped(&out), p, PlanOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("json/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var out bytes.Buffer
				if err := PlanJSON(&out, p, nil, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
