package engine

import (
	"cmp"
	"slices"
)

// subject is everything known about one model when its change is decided.
type subject struct {
	name       string
	from       string // earlier name, when moved
	desired    *Model
	launch     *Launch
	entry      *Entry
	instance   *Instance
	live       *Live  // of the recorded instance; nil when not looked at
	unfinished []Live // alive starts of an interrupted run
	removal    *Removal
	adoption   *Adoption
	effect     func(path string) Effect
}

// decide is the heart of the plan: from what is desired, recorded and live to
// one change. It is a pure function.
func decide(s *subject) Change {
	c := Change{Model: s.name, From: s.from, Action: ActionNone, Desired: s.desired, Previous: s.entry}
	c.Fields, c.Unchanged = Diff(s.entry, s.desired, s.live, s.effect)
	if s.desired != nil {
		c.Served, c.Backend, c.GPUs, c.Port = s.desired.Served, s.desired.Backend, s.desired.GPUs, s.desired.Port
	} else if s.instance != nil {
		c.Backend, c.GPUs, c.Port = s.instance.Backend, s.instance.Launch.GPUs, s.instance.Launch.Port
	}
	switch {
	case s.desired == nil:
		s.leave(&c)
	case !s.desired.Served:
		s.register(&c)
	default:
		s.serve(&c)
	}
	if s.from != "" && c.Action == ActionNone {
		c.Action = ActionUpdate
	}
	if s.from != "" {
		c.because(ReasonMoved, "", s.from)
	}
	return c
}

func (c *Change) because(code ReasonCode, path, detail string) {
	r := Reason{code, path, detail}
	if !slices.Contains(c.Reasons, r) {
		c.Reasons = append(c.Reasons, r)
	}
}

// occupied is what runs of the model now: the recorded instance unless it is
// known to be gone, else a start of an interrupted run. Further starts are left
// over and must go first.
func (s *subject) occupied() (running *Instance, live *Live, leftovers []Instance) {
	if s.instance != nil && (s.live == nil || s.live.Alive()) {
		running, live = s.instance, s.live
		if live != nil && live.State != StateUnknown {
			running = &live.Instance
		}
	}
	for i := range s.unfinished {
		u := &s.unfinished[i]
		if running == nil && u.State != StateOrphan {
			running, live = &u.Instance, u
			continue
		}
		leftovers = append(leftovers, u.Instance)
	}
	return running, live, leftovers
}

// occupiedByStranger: what should run cannot, because somebody else's thing is
// where the recorded instance was and would be again.
func (s *subject) occupiedByStranger() bool {
	return s.live != nil && s.live.State == StateForeign && s.adoption == nil && s.launch != nil &&
		targetOf(s.launch) == targetOf(&s.instance.Launch)
}

// leave decides about a model whose block is gone.
func (s *subject) leave(c *Change) {
	var live *Live
	c.Running, live, c.Leftovers = s.occupied()
	c.because(ReasonRemoved, "", "")
	if s.removal != nil && !s.removal.Stop {
		c.Action = ActionForget
		return
	}
	c.Action = ActionForget
	if c.Running != nil || len(c.Leftovers) > 0 {
		c.Action = ActionStop
		c.Interrupts = serves(live)
	}
}

// register decides about a model that the workspace does not serve: it is
// recorded for consumers, and nothing runs.
func (s *subject) register(c *Change) {
	var live *Live
	c.Running, live, c.Leftovers = s.occupied()
	switch {
	case c.Running != nil || len(c.Leftovers) > 0:
		c.Action = ActionStop
		c.Interrupts = serves(live)
		c.because(ReasonRemoved, "", "no longer served")
	case s.entry == nil:
		c.Action = ActionCreate
		c.because(ReasonNew, "", "")
	case len(c.Fields) > 0 || s.entry.Served || s.instance != nil:
		c.Action = ActionUpdate
		c.explainFields()
	}
}

// serve decides about a model that must run.
func (s *subject) serve(c *Change) {
	running, live, leftovers := s.occupied()
	c.Running, c.Leftovers = running, leftovers
	switch {
	case running == nil:
		s.start(c)
	case running.Token != "" && s.instance == nil || s.instance != nil && running.ID != s.instance.ID:
		s.finish(c, live)
	default:
		s.keep(c, live)
		if len(leftovers) > 0 {
			c.because(ReasonUnfinished, "", "an interrupted run left a second start behind")
			if c.Action == ActionNone {
				c.Action = ActionUpdate
			}
		}
	}
	if c.Action == ActionCreate || c.Action == ActionRestart || c.Action == ActionReplace {
		c.Start = s.launch
		c.Interrupts = c.Running != nil && serves(live)
		if c.Interrupts && c.Running.ReadySeconds > 0 {
			c.Downtime = &c.Running.ReadySeconds
		}
	}
}

// start decides about a model of which nothing runs.
func (s *subject) start(c *Change) {
	switch {
	case s.instance != nil && (s.adoption == nil || s.live.State != StateForeign): // recorded, and gone
		c.Action = ActionRestart
		if s.live.State == StateForeign {
			c.because(ReasonAnswersDifferently, "", "")
		} else {
			c.because(ReasonProcessGone, "", s.live.Detail)
		}
		c.explainFields()
	case s.adoption != nil:
		c.Action = ActionAdopt
		c.Adopt = s.adoption
		c.Start = s.launch
		c.because(ReasonAdopted, "", "")
	default:
		c.Action = ActionCreate
		if s.entry == nil || !s.entry.Served {
			c.because(ReasonNew, "", "")
		} else {
			c.because(ReasonUnfinished, "", "recorded as served, and nothing runs")
		}
	}
}

// finish decides about a start that an interrupted run left behind: if it is
// what is wanted it is adopted, else it is started again.
func (s *subject) finish(c *Change, live *Live) {
	c.because(ReasonUnfinished, "", live.Detail)
	usable := live.State == StateReady || live.State == StateStarting
	if usable && s.launch != nil && c.Running.LaunchDigest == s.launch.Digest() && len(live.Mismatches) == 0 {
		c.Action = ActionAdopt
		return
	}
	c.Action = ActionRestart
	c.explainFields()
}

// keep decides about a recorded instance that is still there.
func (s *subject) keep(c *Change, live *Live) {
	c.explainFields()
	c.Action = actionFor(c.Fields)
	if live != nil {
		s.explainLive(c, live)
	}
	told := s.launch != nil && c.Running.LaunchDigest != s.launch.Digest()
	if told && rank(c.Action) < rank(ActionRestart) && !s.reloads(c) {
		c.Action = ActionRestart
		c.because(s.cause(c), "launch", launchDifference(&c.Running.Launch, s.launch))
	}
	if c.Action == ActionUpdate && told {
		c.Start = s.launch // an Updater is told
	}
}

// cause of a launch that differs although no written field asks for a restart:
// facts, or this version of Loadout tells the backend something else.
func (s *subject) cause(c *Change) ReasonCode {
	if slices.ContainsFunc(c.Fields, func(f FieldChange) bool { return Root(f.Path) == "facts" }) {
		return ReasonFactsChanged
	}
	return ReasonConfigChanged
}

// reloads: some field changed that the backend takes while it runs.
func (s *subject) reloads(c *Change) bool {
	return slices.ContainsFunc(c.Fields, func(f FieldChange) bool { return f.Effect == EffectReload })
}

// explainLive turns what was seen into reasons and, where something is wrong,
// into a restart.
func (s *subject) explainLive(c *Change, live *Live) {
	switch live.State {
	case StateHung, StateStarting:
		c.because(ReasonHung, "", live.Detail)
	case StateWrong:
		c.because(ReasonAnswersDifferently, "", live.Detail)
	case StateOrphan:
		c.because(ReasonProcessGone, "", live.Detail)
	case StateUnknown, StateReady, StateGone, StateForeign:
	}
	for _, m := range live.Mismatches {
		c.because(m.Code, m.Path, "")
	}
	wrong := live.State != StateReady && live.State != StateUnknown || len(live.Mismatches) > 0
	if wrong && rank(c.Action) < rank(ActionRestart) {
		c.Action = ActionRestart
	}
}

// explainFields gives a reason for every field that the files or the facts moved.
func (c *Change) explainFields() {
	for _, f := range c.Fields {
		if f.MovedBy == MovedByWorld {
			continue
		}
		code := ReasonConfigChanged
		if f.isFact() {
			code = ReasonFactsChanged
		}
		c.because(code, f.Path, "")
	}
}

// isFact: the value is, or was until now, one that discovery gave.
func (f *FieldChange) isFact() bool {
	was := len(f.Overrides) > 0 && f.After == nil && f.Overrides[0].Origin.File == factsFile
	return Root(f.Path) == "facts" || f.Origin.Layer == LayerDiscovered || was
}

// actionFor is the cheapest action that brings all fields into effect.
func actionFor(fields []FieldChange) Action {
	action := ActionNone
	for _, f := range fields {
		if a := actionOf(f.Effect); rank(a) > rank(action) {
			action = a
		}
	}
	return action
}

func actionOf(e Effect) Action {
	switch e {
	case EffectReplace:
		return ActionReplace
	case EffectRestart:
		return ActionRestart
	case EffectHot, EffectReload:
		return ActionUpdate
	}
	return ActionUpdate
}

// rank orders the actions that keep may choose from by their cost.
func rank(a Action) int {
	return slices.Index([]Action{ActionNone, ActionUpdate, ActionRestart, ActionReplace}, a)
}

// serves: an instance that is not known to be out of service would be missed.
func serves(live *Live) bool {
	return live == nil || live.State == StateReady || live.State == StateUnknown
}

func sortFields(fields []FieldChange) []FieldChange {
	slices.SortFunc(fields, func(a, b FieldChange) int { return cmp.Compare(a.Path, b.Path) })
	return fields
}
