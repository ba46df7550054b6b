package nvidia

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// Codes of the problems that DetectWith finds.
const (
	codeNotChecked = "gpu_not_checked"
	codeMissing    = "gpu_missing"
	codeTwice      = "gpu_twice"
	codeMemory     = "gpu_memory"
)

// nominalSlack is how far a declared size may lie above what the driver
// reports, in percent: cards are sold as 48 GB and report 45 GiB, because ECC
// and the driver take their part.
const nominalSlack = 8

// Detect is [DetectWith] for the nvidia-smi on PATH.
func Detect(ctx context.Context, declared []engine.GPU) ([]engine.GPU, []engine.Problem) {
	return DetectWith(ctx, Tool{}, declared)
}

// DetectWith compares the declared GPUs with those of this host. A GPU that is there
// is filled in from the driver: UUID, name, memory and what of it is used. When
// the driver cannot be asked, the declared numbers stand, with a warning; a
// declared GPU that is not there, or is clearly smaller, is an error. Without
// declarations, all GPUs of the host are returned, by index.
func DetectWith(ctx context.Context, r Reader, declared []engine.GPU) ([]engine.GPU, []engine.Problem) {
	found, err := r.GPUs(ctx)
	if err != nil {
		return unchecked(declared, err)
	}
	if len(declared) == 0 {
		return all(found), nil
	}
	var out []engine.GPU
	var problems []engine.Problem
	owner := map[int]string{} // index of a device to the label that took it
	for _, want := range declared {
		got, p := compare(want, found)
		if p == nil && got.Detected {
			p = claim(owner, want, found)
		}
		out = append(out, got)
		if p != nil {
			problems = append(problems, *p)
		}
	}
	return out, problems
}

// unchecked keeps the declared numbers. A host without GPUs and without the
// tool has nothing to be warned of. The warning is one line, without a place:
// every plan on such a host has it, and nothing in the files is wrong.
func unchecked(declared []engine.GPU, err error) ([]engine.GPU, []engine.Problem) {
	if len(declared) == 0 && errors.Is(err, ErrNotInstalled) {
		return nil, nil
	}
	p := engine.Problem{
		Severity: engine.SeverityWarning, Code: codeNotChecked,
		Summary: "the GPUs of this host were not checked: " + err.Error(),
	}
	if len(declared) > 0 {
		p.Summary += "; the declared sizes are used"
	}
	var out []engine.GPU
	for _, g := range declared {
		g.Used = Unknown
		out = append(out, g)
	}
	return out, []engine.Problem{p}
}

// compare fills in one declared GPU, or says what is wrong with it.
func compare(want engine.GPU, found []GPU) (engine.GPU, *engine.Problem) {
	want.Used = Unknown
	if strings.HasPrefix(id(want), "MIG-") {
		return want, problem(want, engine.SeverityWarning, codeNotChecked,
			fmt.Sprintf("GPU %q was not checked: it is a MIG instance", want.ID),
			"nvidia-smi does not list MIG instances in this form; the declared size is used.")
	}
	at := find(id(want), found)
	if at < 0 {
		return want, problem(want, engine.SeverityError, codeMissing,
			fmt.Sprintf("GPU %q is not on this host", want.ID), offer(found))
	}
	real, memory := found[at], want.Memory
	fill(&want, real)
	if real.Total > 0 && memory > real.Total+real.Total/100*nominalSlack {
		return want, problem(want, engine.SeverityError, codeMemory,
			fmt.Sprintf("GPU %q has %s, not %s", want.ID, gib(real.Total), gib(memory)),
			fmt.Sprintf("Set memory = %q, or name another GPU.", fmt.Sprintf("%dMiB", real.Total/mebibyte)))
	}
	return want, nil
}

// claim refuses two declarations of one device.
func claim(owner map[int]string, want engine.GPU, found []GPU) *engine.Problem {
	at := find(id(want), found)
	first, taken := owner[at]
	if !taken {
		owner[at] = want.ID
		return nil
	}
	return problem(want, engine.SeverityError, codeTwice,
		fmt.Sprintf("GPU %q is the same device as GPU %q", want.ID, first), "Remove one of the two gpu blocks.")
}

// fill takes over what the driver tells. The declared size gives way to the real
// one, which is what a backend's share is a share of.
func fill(g *engine.GPU, real GPU) {
	g.Detected, g.UUID, g.Name = true, real.UUID, real.Name
	if real.Total > 0 {
		g.Memory = real.Total
	}
	g.Used = real.Used
	if real.Free >= 0 && real.Total > 0 {
		g.Used = max(real.Total-real.Free, 0) // counts what the driver reserves
	}
}

func all(found []GPU) []engine.GPU {
	var out []engine.GPU
	for _, real := range found {
		g := engine.GPU{ID: strconv.Itoa(real.Index)}
		fill(&g, real)
		out = append(out, g)
	}
	return out
}

// id is what a declaration goes by: a UUID when it has one, else its label.
func id(g engine.GPU) string {
	if g.UUID != "" {
		return g.UUID
	}
	return g.ID
}

// find looks a device up by index, by UUID, or by the unambiguous beginning of
// one, as CUDA_VISIBLE_DEVICES does. It returns -1 when there is none.
func find(id string, found []GPU) int {
	at := -1
	for i, g := range found {
		switch {
		case strconv.Itoa(g.Index) == id, g.UUID != "" && strings.EqualFold(g.UUID, id):
			return i
		case strings.HasPrefix(id, "GPU-") && strings.HasPrefix(g.UUID, id):
			if at >= 0 {
				return -1
			}
			at = i
		}
	}
	return at
}

// offer says which GPUs could be meant.
func offer(found []GPU) string {
	if len(found) == 0 {
		return "nvidia-smi finds no GPU."
	}
	var names []string
	for _, g := range found {
		names = append(names, strings.TrimSpace(fmt.Sprintf("%d (%s)", g.Index, strings.TrimSpace(g.Name+" "+g.UUID))))
	}
	return "A gpu block is labeled by index or UUID. This host has " + strings.Join(names, ", ") + "."
}

func problem(g engine.GPU, severity engine.Severity, code, summary, detail string) *engine.Problem {
	return &engine.Problem{Severity: severity, Code: code, Summary: summary, Detail: detail, Origin: g.Origin}
}

func gib(bytes int64) string {
	return strconv.FormatFloat(float64(bytes)/(1<<30), 'f', 1, 64) + " GiB"
}
