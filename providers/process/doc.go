// Package process runs operating system processes that outlive Loadout: it
// starts one in a session of its own, recognizes it later from any shell, finds
// who listens on a port, and stops it together with every child.
//
// It never signals a process that it cannot prove to be the one it started (or
// the one that was adopted), never connects a process to a pipe or a terminal,
// and knows nothing about any particular backend. Linux only: what it knows
// about processes it reads from /proc.
package process
