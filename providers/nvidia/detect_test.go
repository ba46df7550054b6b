package nvidia

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loadoutdev/loadout/engine"
)

// host is a Reader with a fixed answer.
type host struct {
	gpus []GPU
	err  error
}

func (h host) GPUs(context.Context) ([]GPU, error)          { return h.gpus, h.err }
func (h host) Processes(context.Context) ([]Process, error) { return nil, h.err }

var twoGPUs = host{gpus: []GPU{
	{0, uuid4080, "RTX 4080", 16376 << 20, 1093 << 20, 14964 << 20},
	{1, uuidH100, "H100", 81559 << 20, 512 << 20, Unknown},
}}

func declared(id string, memory int64) engine.GPU {
	return engine.GPU{
		ID: id, Memory: memory,
		Origin: engine.Origin{File: "workspaces/a.hcl", Start: engine.Pos{Line: 3}},
	}
}

func TestDetectFillsIn(t *testing.T) {
	want0 := engine.GPU{
		ID: "0", UUID: uuid4080, Name: "RTX 4080", Memory: 16376 << 20, Used: (16376 - 14964) << 20, Detected: true,
	}
	want1 := engine.GPU{ID: "1", UUID: uuidH100, Name: "H100", Memory: 81559 << 20, Used: 512 << 20, Detected: true}
	got, problems := DetectWith(t.Context(), twoGPUs, nil)
	if d := cmp.Diff([]engine.GPU{want0, want1}, got); d != "" || problems != nil {
		t.Errorf("nothing declared: %s %v", d, problems)
	}
	for _, id := range []string{"1", uuidH100, "GPU-9b7a4f9e", "gpu-9B7A4F9E-2f0c-4f15-8a61-1f3b7f6f2a10"} {
		d := declared(id, 80<<30) // nominal size, above the 79.6 GiB of the driver
		d.Reserve = 1 << 30
		want := want1
		want.ID, want.Reserve, want.Origin = id, d.Reserve, d.Origin
		got, problems := DetectWith(t.Context(), twoGPUs, []engine.GPU{d})
		if diff := cmp.Diff([]engine.GPU{want}, got); diff != "" || problems != nil {
			t.Errorf("%s: %s %v", id, diff, problems)
		}
	}
}

func TestDetectProblems(t *testing.T) {
	missing := func(id string) string {
		return fmt.Sprintf("error gpu_missing: GPU %q is not on this host", id)
	}
	for _, tc := range []struct {
		name     string
		reader   Reader
		declared []engine.GPU
		want     []string
	}{
		{"absent index", twoGPUs, []engine.GPU{declared("2", 0)}, []string{missing("2")}},
		{"absent UUID", twoGPUs, []engine.GPU{declared("GPU-00", 0)}, []string{missing("GPU-00")}},
		{"ambiguous UUID", twoGPUs, []engine.GPU{declared("GPU-", 0)}, []string{missing("GPU-")}},
		{"no GPU at all", host{}, []engine.GPU{declared("0", 0)}, []string{missing("0")}},
		{"too large", twoGPUs, []engine.GPU{declared("0", 24<<30)}, []string{
			`error gpu_memory: GPU "0" has 16.0 GiB, not 24.0 GiB`,
		}},
		{"twice", twoGPUs, []engine.GPU{declared("0", 0), declared(uuid4080, 0)}, []string{
			fmt.Sprintf("error gpu_twice: GPU %q is the same device as GPU \"0\"", uuid4080),
		}},
		{"MIG", twoGPUs, []engine.GPU{declared("MIG-1", 0)}, []string{
			`warning gpu_not_checked: GPU "MIG-1" was not checked: it is a MIG instance`,
		}},
		{"no tool", host{err: ErrNotInstalled}, []engine.GPU{declared("0", 0), declared("1", 0)}, []string{
			"warning gpu_not_checked: the GPUs of this host were not checked: nvidia-smi is not installed; the declared sizes are used",
		}},
		{"no tool, nothing declared", host{err: ErrNotInstalled}, nil, nil},
		{"hangs", host{err: fmt.Errorf("%w within 5s", ErrTimeout)}, []engine.GPU{declared("0", 0)}, []string{
			"warning gpu_not_checked: the GPUs of this host were not checked: nvidia-smi does not answer within 5s; the declared sizes are used",
		}},
		{"hangs, nothing declared", host{err: ErrTimeout}, nil, []string{
			"warning gpu_not_checked: the GPUs of this host were not checked: nvidia-smi does not answer",
		}},
		{"fails", host{err: &FailedError{15, "GPU is lost"}}, []engine.GPU{declared("0", 0)}, []string{
			"warning gpu_not_checked: the GPUs of this host were not checked: nvidia-smi failed with status 15: GPU is lost; the declared sizes are used",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			gpus, problems := DetectWith(t.Context(), tc.reader, tc.declared)
			var got []string
			for _, p := range problems {
				got = append(got, fmt.Sprintf("%s %s: %s", p.Severity, p.Code, p.Summary))
				ofHost := strings.HasPrefix(p.Summary, "the GPUs of this host")
				if !ofHost && p.Origin.Place() != "workspaces/a.hcl:3" {
					t.Errorf("the problem is placed at %s", p.Origin.Place())
				}
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Error(d)
			}
			if len(gpus) != len(tc.declared) {
				t.Errorf("%d GPUs for %d declared", len(gpus), len(tc.declared))
			}
		})
	}
}

func TestDetectKeepsDeclaredNumbers(t *testing.T) {
	d := declared("0", 16<<30)
	got, _ := DetectWith(t.Context(), host{err: ErrNotInstalled}, []engine.GPU{d})
	want := d
	want.Used = Unknown
	if diff := cmp.Diff([]engine.GPU{want}, got); diff != "" {
		t.Error(diff)
	}
	unified := host{gpus: []GPU{{0, "GPU-1", "GB10", Unknown, Unknown, Unknown}}}
	got, problems := DetectWith(t.Context(), unified, []engine.GPU{d})
	if problems != nil || got[0].Memory != 16<<30 || got[0].Used != Unknown || !got[0].Detected {
		t.Errorf("unified memory: %+v %v", got, problems)
	}
}

func TestDetectRunsTheToolOnPath(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	gpus, problems := Detect(t.Context(), []engine.GPU{declared("0", 1<<30)})
	if len(gpus) != 1 || gpus[0].Detected || len(problems) != 1 || problems[0].Code != codeNotChecked {
		t.Errorf("got %+v %+v", gpus, problems)
	}
}
