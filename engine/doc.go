// Package engine is the vocabulary and the decisions of Loadout: what a model
// is, how layers merge into the desired state, how desired, recorded and live
// state become a plan.
//
// It does no I/O apart from the two reads that go through [Provider]
// (see Observe), knows no HCL, no color, no operating-system process and no
// backend by name. Everything here is deterministic: the same input gives the
// same bytes, whatever the order of files and maps.
package engine
