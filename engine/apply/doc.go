// Package apply carries out a plan: it stops, starts, changes and adopts what
// the plan says, in parallel where nothing is shared, announces every effect in
// the journal before it happens, records every change when it is done, and puts
// back what a failed change has stopped.
//
// It never compares desired with recorded state again, never decides that a
// change is or is not needed, never reads configuration, and prints nothing:
// what happens leaves by one function, Options.Events.
package apply
