package nvidia

import (
	"context"
	"time"
)

// Reader looks at the GPUs of this host. Errors are [ErrNotInstalled],
// [ErrTimeout], [ErrFormat], [*FailedError], or those of ctx.
type Reader interface {
	GPUs(ctx context.Context) ([]GPU, error)
	Processes(ctx context.Context) ([]Process, error)
}

// GPU is one device. Sizes are bytes, Unknown where the driver does not say.
type GPU struct {
	Index int    // in the order of PCI bus ids
	UUID  string // "GPU-…"; empty when the driver hides it
	Name  string
	Total int64
	Used  int64
	Free  int64 // Total − Used − what the driver reserves
}

// Process is a program that computes on a GPU.
type Process struct {
	GPU    string // UUID
	Pid    int    // as the host counts; 0 when hidden
	Name   string // empty when hidden
	Memory int64  // bytes on this GPU; Unknown when hidden
}

// Unknown stands for a size that the driver does not tell.
const Unknown int64 = -1

// Tool reads by running nvidia-smi. The zero Tool is the one on PATH with the
// default time limit.
type Tool struct {
	Command []string      // program and first arguments; empty: nvidia-smi
	Timeout time.Duration // for each run; 0: DefaultTimeout
}

var _ Reader = Tool{}

// Columns that every driver of the last ten years knows: one unknown name makes
// the whole query fail. The name comes last because it may contain commas.
const (
	gpuQuery     = "--query-gpu=index,uuid,memory.total,memory.used,memory.free,name"
	processQuery = "--query-compute-apps=gpu_uuid,pid,used_memory,process_name"
	csvFormat    = "--format=csv,noheader,nounits"
)

// GPUs lists the devices by index; none is no error.
func (t Tool) GPUs(ctx context.Context) ([]GPU, error) {
	out, err := t.run(ctx, gpuQuery, csvFormat)
	if err != nil {
		return nil, err
	}
	return parseGPUs(out)
}

// Processes lists what computes on the GPUs, in the order of the tool. Inside a
// container the list may be empty although memory is used.
func (t Tool) Processes(ctx context.Context) ([]Process, error) {
	out, err := t.run(ctx, processQuery, csvFormat)
	if err != nil {
		return nil, err
	}
	return parseProcesses(out)
}
