package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/gofrs/flock"
	"github.com/prometheus/procfs"
)

// Ledger is the file behind LOADOUT_SIM_GPU: the GPUs of a pretended host and
// who holds their memory. The test or demo that names the file writes GPUs;
// each worker adds itself to Held. Nobody is taken out when it ends: an entry
// counts as long as its process lives.
type Ledger struct {
	GPUs []LedgerGPU `json:"gpus"`
	Held []Holding   `json:"held"`
}

// LedgerGPU is one pretended GPU. Its index is its place in the list.
type LedgerGPU struct {
	UUID  string `json:"uuid"`
	Bytes int64  `json:"bytes"` // 0: unlimited
}

// Holding is memory that one process holds on one GPU.
type Holding struct {
	GPU   string `json:"gpu"` // UUID, or the name that was given when no such GPU is listed
	Bytes int64  `json:"bytes"`
	Pid   int    `json:"pid"`
	Start uint64 `json:"start"` // of the process, clock ticks since boot
}

// ReadLedger reads a ledger and leaves out the entries of ended processes. A
// file that does not exist is an empty ledger.
func ReadLedger(path string) (Ledger, error) {
	var l Ledger
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return l, fmt.Errorf("GPU ledger: %w", err)
	}
	if err := json.Unmarshal(raw, &l); err != nil {
		return l, fmt.Errorf("GPU ledger %s: %w", path, err)
	}
	l.Held = slices.DeleteFunc(l.Held, func(h Holding) bool { return startOf(h.Pid) != h.Start })
	return l, nil
}

// Used is the memory held on a GPU, in bytes.
func (l *Ledger) Used(uuid string) (sum int64) {
	for _, h := range l.Held {
		if h.GPU == uuid {
			sum += h.Bytes
		}
	}
	return sum
}

// find looks a GPU up by UUID or index; "" is the first one.
func (l *Ledger) find(name string) (LedgerGPU, bool) {
	for i, g := range l.GPUs {
		if g.UUID == name || fmt.Sprint(i) == name || name == "" {
			return g, true
		}
	}
	return LedgerGPU{UUID: name}, false
}

// hold adds this process.
func (l *Ledger) hold(uuid string, bytes int64) {
	pid := os.Getpid()
	l.Held = append(l.Held, Holding{GPU: uuid, Bytes: bytes, Pid: pid, Start: startOf(pid)})
}

// updateLedger changes the file under a lock.
func updateLedger(path string, change func(*Ledger) error) error {
	lock := flock.New(path + ".lock")
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("GPU ledger: %w", err)
	}
	defer lock.Close()
	l, err := ReadLedger(path)
	if err != nil {
		return err
	}
	if err := change(&l); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return fmt.Errorf("GPU ledger: %w", err)
	}
	next := path + ".new"
	if err := os.WriteFile(next, append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("GPU ledger: %w", err)
	}
	return os.Rename(next, path)
}

// startOf is when a process began, 0 when there is none. A zombie holds nothing.
func startOf(pid int) uint64 {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return 0
	}
	stat, err := p.Stat()
	if err != nil || stat.State == "Z" {
		return 0
	}
	return stat.Starttime
}
