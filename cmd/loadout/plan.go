package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/loadoutdev/loadout/cmd/loadout/internal/view"
	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/store"
)

type planOptions struct {
	vars     varFlags
	out      string
	refresh  bool
	detailed bool
	full     bool
	destroy  bool
}

func newPlan(c *cli) *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what apply would do, and why",
		Long: "Compares the files, the snapshot of the last apply and what runs now. Changes\n" +
			"nothing, takes no lock, works on read-only files.",
		Example: "  loadout plan -w rtx4080\n  loadout plan --out plan.json --detailed-exitcode\n  loadout plan --refresh=false --json",
		Args:    noArgument,
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.runPlan(cmd.Context(), &o) },
	}
	o.vars.add(cmd)
	c.jsonFlag(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&o.out, "out", "o", "", "save the plan, for apply FILE (mode 0600)")
	flags.BoolVar(&o.refresh, "refresh", true, "look at what runs (=false: offline)")
	flags.BoolVar(&o.detailed, "detailed-exitcode", false, "exit 2 when there are changes, 3 when only drift")
	flags.BoolVar(&o.full, "full", false, "show every field and every unchanged model")
	flags.BoolVar(&o.destroy, "destroy", false, "plan the end of everything")
	return cmd
}

func (c *cli) runPlan(ctx context.Context, o *planOptions) error {
	w, err := c.aim(&o.vars, o.destroy)
	if err != nil {
		return err
	}
	st := store.Open(c.stateRoot(), w.Config.Workspace.Name)
	seen, err := c.look(ctx, w, st, o.refresh)
	if err != nil {
		return err
	}
	seen.problems = append(seen.problems, busy(st)...)
	p := c.plan(w, seen, func(in *engine.PlanInput) { in.Destroy = o.destroy })
	stopped := blocked(w, p)
	if o.out != "" && stopped == nil { // first, so that a plan is not shown as one that can be applied
		if err := savePlan(o.out, p); err != nil {
			return err
		}
	}
	if err := c.showPlan(w, p, view.PlanOptions{Full: o.full, Destroy: o.destroy, Next: nextAfterPlan(c, p, o)}); err != nil {
		return err
	}
	if stopped != nil {
		return stopped
	}
	return o.answer(p)
}

// answer is the exit code that --detailed-exitcode asks for.
func (o *planOptions) answer(p *engine.Plan) error {
	switch {
	case !o.detailed:
		return nil
	case p.Empty() && len(p.Unseen) > 0:
		return fmt.Errorf("%s could not be looked at: whether anything changed is not known", p.Unseen[0].Model)
	case !p.Empty():
		return &exit{code: onlyDrift(p)}
	case len(p.Drift) > 0:
		return &exit{code: exitDrifted}
	}
	return nil
}

// busy warns that another run is changing what the plan looks at.
func busy(st *store.Store) []engine.Problem {
	h, err := st.Holder()
	if err != nil || h == nil {
		return nil
	}
	return []engine.Problem{{
		Severity: engine.SeverityWarning, Code: "busy", Summary: fmt.Sprintf("%s (pid %d, %s@%s) is at work here", h.Command, h.Pid, h.User, h.Host),
		Detail: "This plan shows a moment in between. Plan again when it has ended.",
	}}
}

// onlyDrift tells a plan that the files ask for from one that only puts back
// what the world changed.
func onlyDrift(p *engine.Plan) int {
	for _, c := range p.Changes {
		for _, r := range c.Reasons {
			switch r.Code {
			case engine.ReasonProcessGone, engine.ReasonProcessDiffers, engine.ReasonAnswersDifferently, engine.ReasonHung, engine.ReasonArtifactChanged:
			case engine.ReasonNew, engine.ReasonRemoved, engine.ReasonConfigChanged, engine.ReasonFactsChanged, engine.ReasonUnfinished,
				engine.ReasonMoved, engine.ReasonAdopted, engine.ReasonLockViolation:
				return exitDiffers
			}
		}
	}
	return exitDrifted
}

// showPlan prints the plan with the warnings before it; errors come after it.
func (c *cli) showPlan(w *wanted, p *engine.Plan, o view.PlanOptions) error {
	if c.json {
		shown := *p
		if !o.Full {
			shown.Unchanged = nil
		}
		return view.PlanJSON(c.out, &shown, w.diags, w.Files())
	}
	warned := view.Diagnostics(c.errScreen(), w.diags, w.Files())
	return errors.Join(warned, view.Plan(c.screen(), p, o))
}

// blocked says why a plan must not be applied: an error in it, or a check.
func blocked(w *wanted, p *engine.Plan) error {
	code := 0
	for _, problem := range p.Problems {
		switch {
		case problem.Severity != engine.SeverityError:
		case problem.Code == "prevent_stop":
			code = exitGuard
		default:
			return &exit{code: exitError}
		}
	}
	for _, check := range p.Checks {
		if !check.Passed && check.Severity == engine.SeverityError {
			code = exitGuard
		}
	}
	if code == 0 && w.diags.HasErrors() {
		code = exitError
	}
	if code != 0 {
		return &exit{code: code}
	}
	return nil
}

func nextAfterPlan(c *cli, p *engine.Plan, o *planOptions) string {
	if p.Empty() {
		return ""
	}
	verb := "apply"
	if o.destroy {
		verb = "destroy"
	}
	at := ""
	if c.dir != "." {
		at = " -C " + shellWord(c.dir)
	}
	if o.out != "" {
		return fmt.Sprintf("loadout%s apply %s", at, shellWord(o.out))
	}
	return fmt.Sprintf("loadout%s %s -w %s   (or --out plan.json to have it approved first)", at, verb, shellWord(p.Workspace))
}
