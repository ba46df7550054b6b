package engine

import "slices"

// driftOf lists how the live instance of a model differs from what the
// snapshot recorded, whatever the files say now.
func driftOf(s *subject) []DriftItem {
	if s.instance == nil || s.live == nil {
		return nil
	}
	item := func(code ReasonCode, path string, snapshot, live Value) DriftItem {
		return DriftItem{Model: s.name, Code: code, Path: path, Snapshot: snapshot, Live: live, Detail: s.live.Detail}
	}
	var items []DriftItem
	switch s.live.State {
	case StateGone, StateOrphan:
		items = append(items, item(ReasonProcessGone, "", string(StateReady), string(s.live.State)))
	case StateHung, StateStarting:
		items = append(items, item(ReasonHung, "", string(StateReady), string(s.live.State)))
	case StateWrong, StateForeign:
		items = append(items, item(ReasonAnswersDifferently, "", string(StateReady), string(s.live.State)))
	case StateReady, StateUnknown:
	}
	for _, m := range s.live.Mismatches {
		d := item(m.Code, m.Path, m.Snapshot, m.Live)
		d.Detail = ""
		items = append(items, d)
	}
	return items
}

// launchDifference names, for people, the first thing in which two launches
// differ although no field of the files does.
func launchDifference(old, now *Launch) string {
	switch {
	case !slices.Equal(old.Argv, now.Argv):
		return "the command line would differ"
	case !EqualValues(anyMap(old.Env), anyMap(now.Env)):
		return "the environment would differ"
	case !EqualValues(anyMap(old.Settings), anyMap(now.Settings)):
		return "the settings would differ"
	case old.Model != now.Model:
		return "the weights would be read from another place"
	case !slices.Equal(old.GPUs, now.GPUs):
		return "it would run on other GPUs"
	}
	return "what the backend is told would differ"
}

func anyMap(m map[string]any) Value {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// Drift compares a snapshot with what is live, without any configuration.
// unknown are the instances that could not be looked at.
func Drift(snap *Snapshot, live *Observed) (items []DriftItem, unknown []Live) {
	for i := range snap.Instances {
		in := &snap.Instances[i]
		l := live.Recorded[in.Model]
		items = append(items, driftOf(&subject{name: in.Model, instance: in, live: &l})...)
		if l.State == StateUnknown {
			unknown = append(unknown, l)
		}
	}
	return items, unknown
}
