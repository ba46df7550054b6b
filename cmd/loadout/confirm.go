package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

// errRefused is returned when the answer is not exactly "yes".
var errRefused = &exit{exitRefused, errors.New("not approved: only \"yes\" goes on. Nothing was changed")}

// canAsk tells whether there is somebody to ask.
func (c *cli) canAsk() bool {
	f, ok := c.in.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// needTerminal refuses early, before anything is looked at, when the question
// could not be asked in the end.
func (c *cli) needTerminal(verb string) error {
	if c.canAsk() {
		return nil
	}
	return &exit{exitRefused, fmt.Errorf("%s asks before it acts, and standard input is not a terminal: "+
		"pass --auto-approve, or apply a plan saved with plan --out", verb)}
}

// confirm asks and accepts exactly "yes"; an interrupt is a no.
func (c *cli) confirm(question string, interrupted <-chan struct{}) error {
	fmt.Fprintf(c.err, "\n%s Only \"yes\" goes on: ", question)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(c.in).ReadString('\n')
		answer <- line
	}()
	var line string
	select {
	case line = <-answer:
	case <-interrupted:
		fmt.Fprintln(c.err)
		return errInterrupted
	}
	if strings.TrimRight(line, "\r\n") != "yes" {
		fmt.Fprintln(c.err)
		return errRefused
	}
	return nil
}
