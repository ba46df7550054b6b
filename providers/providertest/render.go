package providertest

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loadoutdev/loadout/engine"
)

func renderIsDeterministic(t *testing.T, b *bench) {
	m := b.Model()
	before := engine.Digest(m.Spec)
	first, problems := b.Provider.Render(m, b.Env)
	if engine.HasErrors(problems) {
		t.Fatalf("render: %+v", problems)
	}
	for range 5 {
		again, _ := b.Provider.Render(b.Model(), b.Env)
		if diff := cmp.Diff(string(engine.CanonicalJSON(first)), string(engine.CanonicalJSON(again))); diff != "" {
			t.Fatalf("two renderings of one model differ:\n%s", diff)
		}
	}
	if engine.Digest(m.Spec) != before {
		t.Error("Render changed the model")
	}
	if first.Model == "" || len(first.Served) == 0 {
		t.Errorf("launch names no model or no served name: %+v", first)
	}
}

func renderRefusesUnknown(t *testing.T, b *bench) {
	const path = "args.no_such_argument"
	m := b.Model()
	if m.Args == nil {
		m.Args = map[string]any{}
	}
	m.Args["no_such_argument"] = int64(1)
	_, problems := b.Provider.Render(m, b.Env)
	i := slices.IndexFunc(problems, func(p engine.Problem) bool { return p.Path == path })
	if i < 0 {
		t.Fatalf("no problem for %s: %+v", path, problems)
	}
	p := problems[i]
	if p.Severity != engine.SeverityError || p.Model != m.Name || p.Code == "" || !strings.Contains(p.Summary, "no") {
		t.Errorf("problem %+v: want an error with model, code and a summary", p)
	}
}

func digestFollowsTold(t *testing.T, b *bench) {
	plain := b.launch(t)
	told, untold := b.launch(t, b.Told), b.launch(t, b.Untold)
	if told.Digest() == plain.Digest() {
		t.Error("a field that the backend is told changed, the digest of the launch did not")
	}
	if untold.Digest() != plain.Digest() {
		t.Errorf("a field that the backend is not told changed the launch:\n%s",
			cmp.Diff(string(engine.CanonicalJSON(plain)), string(engine.CanonicalJSON(untold))))
	}
}

func effectIsKnown(t *testing.T, b *bench) {
	known := []engine.Effect{engine.EffectHot, engine.EffectReload, engine.EffectRestart, engine.EffectReplace}
	for _, a := range engine.Attributes {
		if e := b.Provider.Effect(a.Name); !slices.Contains(known, e) {
			t.Errorf("effect of %s is %q", a.Name, e)
		}
	}
	for path, want := range map[string]engine.Effect{"source": engine.EffectReplace, "backend": engine.EffectReplace,
		"args.x": engine.EffectRestart, "roles.chat": engine.EffectHot} {
		if got := b.Provider.Effect(path); got != want {
			t.Errorf("effect of %s is %s, want %s", path, got, want)
		}
	}
}
