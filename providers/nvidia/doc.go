// Package nvidia reads the GPUs of this host, and what runs on them, from
// nvidia-smi, and compares them with the GPUs that a workspace declares.
//
// It only reads: it never changes a setting of a GPU, never resets one and never
// signals a process on one. It gives up on a hanging driver after a time limit
// instead of waiting for a child that cannot be killed. NVML is not used, since
// it needs cgo and Loadout is one static binary.
package nvidia
