package engine

import (
	"context"
	"fmt"
	"sync"
)

// observers bounds how many instances are looked at at the same time.
const observers = 16

// Observe asks the providers what the recorded instances and the starts of an
// interrupted run are doing now. It reads and changes nothing. What cannot be
// looked at is StateUnknown with the reason, never an error of the whole. A model
// that was recorded with lifecycle.probe = "models" is never asked for a token.
func Observe(ctx context.Context, snap *Snapshot, unfinished []Unfinished, providers map[string]Provider, opt InspectOptions) *Observed {
	o := &Observed{Recorded: map[string]Live{}}
	var recorded []Instance
	if snap != nil {
		recorded = snap.Instances
	}
	var starts []Instance
	for _, u := range unfinished {
		if u.Op == OpStart {
			starts = append(starts, u.Instance)
		}
	}
	silent := onlyListed(snap)
	ask := func(ctx context.Context, in Instance) Live {
		opt := opt
		opt.Generate = opt.Generate && !silent[in.Model]
		return inspect(ctx, in, providers[in.Backend], opt)
	}
	for i, live := range inspectAll(ctx, recorded, ask) {
		o.Recorded[recorded[i].Model] = live
	}
	o.Unfinished = inspectAll(ctx, starts, ask)
	return o
}

// onlyListed are the models whose readiness is that they are listed.
func onlyListed(snap *Snapshot) map[string]bool {
	out := map[string]bool{}
	if snap == nil {
		return out
	}
	for i := range snap.Models {
		if e := &snap.Models[i]; e.Lookup("lifecycle", "probe") == string(ProbeModels) {
			out[e.Name] = true
		}
	}
	return out
}

func inspectAll(ctx context.Context, instances []Instance, ask func(context.Context, Instance) Live) []Live {
	out := make([]Live, len(instances))
	slots := make(chan struct{}, observers)
	var wg sync.WaitGroup
	for i, in := range instances {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			defer func() {
				if r := recover(); r != nil {
					out[i] = Live{Instance: in, State: StateUnknown, Detail: fmt.Sprintf("loadout crashed while it looked, which is a bug: %v", r)}
				}
			}()
			out[i] = ask(ctx, in)
		})
	}
	wg.Wait()
	return out
}

func inspect(ctx context.Context, in Instance, p Provider, opt InspectOptions) Live {
	if p == nil {
		return Live{Instance: in, State: StateUnknown, Detail: fmt.Sprintf("no backend is called %q", in.Backend)}
	}
	live, err := p.Inspect(ctx, in, opt)
	if err != nil {
		return Live{Instance: in, State: StateUnknown, Detail: err.Error()}
	}
	return live
}

// Alive tells whether something of the instance still takes room: its process,
// or what its process left behind. What is somebody else's is not it.
func (l *Live) Alive() bool { return l.State != StateGone && l.State != StateForeign }
