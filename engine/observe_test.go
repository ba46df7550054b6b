package engine

import (
	"context"
	"strings"
	"testing"
)

// crashing is a provider with a bug.
type crashing struct{ Provider }

func (crashing) Inspect(context.Context, Instance, InspectOptions) (Live, error) {
	panic("index out of range")
}

// A bug of one provider costs the sight of its instances, not the run.
func TestObserveSurvivesACrash(t *testing.T) {
	snap := &Snapshot{Instances: []Instance{{Model: "a", Backend: "x"}, {Model: "b", Backend: "x"}}}
	seen := Observe(t.Context(), snap, nil, map[string]Provider{"x": crashing{}}, InspectOptions{})
	for _, name := range []string{"a", "b"} {
		live := seen.Recorded[name]
		if live.State != StateUnknown || live.Model != name || !strings.Contains(live.Detail, "index out of range") {
			t.Errorf("%s: %+v", name, live)
		}
	}
}
