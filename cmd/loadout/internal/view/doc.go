// Package view turns what Loadout knows into what people and programs see:
// text for a terminal or a log, and versioned JSON. Every text is drawn from
// the same values that its JSON prints.
//
// It never computes, drops or reorders a change, reads no file, asks nobody and
// knows nothing of how a plan comes to be. Color and text diffs live only here.
// Whatever comes from a file, a process or a person is neutralized before it is
// printed, so that no model name or log line can steer a terminal.
package view
