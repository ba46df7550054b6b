package main

import "errors"

// Exit codes: one table, repeated in --help and in the README.
const (
	exitOK          = 0   // done, nothing to do, clean
	exitError       = 1   // error: input, environment, usage
	exitDiffers     = 2   // plan --detailed-exitcode: changes; drift: drift; fmt --check: differs
	exitDrifted     = 3   // plan --detailed-exitcode: the files ask for nothing, what runs has drifted
	exitGuard       = 4   // a check or guard failed
	exitLocked      = 5   // another run holds the lock
	exitStale       = 6   // stale plan, or not the plan expected
	exitUnfinished  = 7   // apply did not finish: failed or put back
	exitRefused     = 8   // refused by the user, or no terminal to ask
	exitCrash       = 70  // a bug in loadout
	exitInterrupted = 130 // interrupted
)

const exitTable = `Exit codes:
  0    done, nothing to do, clean
  1    error: input, environment, usage
  2    plan --detailed-exitcode: changes; drift: drift; fmt --check: differs
  3    plan --detailed-exitcode: the files ask for nothing, what runs drifted
  4    a check or guard failed
  5    another run holds the lock
  6    stale plan, or not the plan expected
  7    apply did not finish: failed or put back
  8    refused by the user, or no terminal to ask
  130  interrupted`

// exit is an error with an exit code. A nil err means that everything worth
// saying was said.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// codeOf is the exit code of an error that a command returned.
func codeOf(err error) int {
	var e *exit
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &e):
		return e.code
	}
	return exitError
}
