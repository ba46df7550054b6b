package vllm

import (
	"regexp"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// Diagnose finds the cause of a failed start in the lines that this launch
// wrote. The deepest process speaks first: what the API server says in the end
// is only that the engine failed. status is how the leader ended. It is a pure
// function.
func Diagnose(lines []string, status string) *engine.StartError {
	parsed := make([]logLine, len(lines))
	for i, s := range lines {
		parsed[i] = parseLine(s)
	}
	for _, find := range []func([]logLine) *engine.StartError{usage, known, errorBlock, lastException, died, lastWords} {
		if e := find(parsed); e != nil {
			e.Status = status
			return e
		}
	}
	e := &engine.StartError{Class: classExited, Cause: "it ended (" + status + ") and wrote nothing", Status: status}
	if status == "signal: killed" {
		e.Hint = "somebody killed it, or the machine ran out of memory (see dmesg)"
	}
	return e
}

// known tries the rules, deepest process first, in the order of the log.
func known(lines []logLine) *engine.StartError { return match(lines, rules) }

// died tries the lines that tell a death without a cause.
func died(lines []logLine) *engine.StartError { return match(lines, deaths) }

func match(lines []logLine, rules []rule) *engine.StartError {
	for depth := 3; depth >= 1; depth-- {
		for _, l := range lines {
			if l.depth != depth || !l.speaks() {
				continue
			}
			for _, r := range rules {
				if m := r.pattern.FindStringSubmatchIndex(l.text); m != nil {
					return r.found(l.text, m)
				}
			}
		}
	}
	return nil
}

func (r rule) found(text string, m []int) *engine.StartError {
	hint := string(r.pattern.ExpandString(nil, r.hint, text, m))
	if r.advise != nil {
		hint = r.advise(r.pattern.FindStringSubmatch(text))
	}
	return &engine.StartError{Class: r.class, Cause: said(text), Hint: hint, Field: r.field}
}

var (
	usageError = regexp.MustCompile(`^vllm(?: serve)?: error: (.*)$`)
	badFlag    = regexp.MustCompile(`^argument (--[\w.-]+)`)
	strange    = regexp.MustCompile(`^(?:unrecognized arguments|ambiguous option): (--?[\w.-]+)`)
)

// usage finds what the parser of the command line refused. A hint of vLLM may
// follow it.
func usage(lines []logLine) *engine.StartError {
	for i, l := range lines {
		m := usageError.FindStringSubmatch(l.text)
		if m == nil {
			continue
		}
		e := &engine.StartError{Class: classArgument, Cause: clip(m[1], 400)}
		for _, p := range []*regexp.Regexp{badFlag, strange} {
			if f := p.FindStringSubmatch(m[1]); f != nil {
				g, _ := resolve(f[1])
				e.Field = g.path()
			}
		}
		if strange.MatchString(m[1]) {
			e.Hint = "this vLLM does not know the argument: remove it, or use vLLM " + Version
		}
		for _, rest := range lines[i+1:] {
			if hint, ok := strings.CutPrefix(rest.text, "Hint: "); ok {
				e.Hint = clip(hint, 400)
				break
			}
		}
		return e
	}
	return nil
}

// harmless begins blocks of errors that a server survives.
const harmless = "Error saving model info cache"

// errorBlock is the last line of the first block of ERROR lines of the deepest
// process: the end of its traceback.
func errorBlock(lines []logLine) *engine.StartError {
	for depth := 3; depth >= 1; depth-- {
		var block []logLine
		for _, l := range lines {
			if l.depth != depth {
				continue
			}
			same := l.level == "ERROR" && (len(block) == 0 || l.where == block[0].where)
			if same {
				block = append(block, l)
				continue
			}
			if e := endOf(block); e != nil {
				return e
			}
			block = block[:0]
			if l.level == "ERROR" {
				block = append(block, l)
			}
		}
		if e := endOf(block); e != nil {
			return e
		}
	}
	return nil
}

func endOf(block []logLine) *engine.StartError {
	if len(block) == 0 || strings.Contains(block[0].text, harmless) {
		return nil
	}
	for i := len(block) - 1; i >= 0; i-- {
		if exception.MatchString(block[i].text) {
			return &engine.StartError{Class: classEngine, Cause: said(block[i].text)}
		}
	}
	return nil
}

// generic are exceptions that only pass on that something else failed.
var generic = regexp.MustCompile(`Engine core initialization failed|WorkerProc initialization failed|EngineDeadError|validation errors? for`)

// lastException is the reason of a configuration error, or the last exception
// that a plain traceback ends with.
func lastException(lines []logLine) *engine.StartError {
	var last string
	for _, l := range lines {
		switch {
		case !l.speaks():
		case pydantic.MatchString(l.text):
			return &engine.StartError{Class: classArgument, Cause: said(l.text)}
		case exception.MatchString(l.text) && !generic.MatchString(l.text):
			last = l.text
		}
	}
	if last == "" {
		return nil
	}
	return &engine.StartError{Class: classExited, Cause: said(last)}
}

// lastWords is the last line that is not known to be noise.
func lastWords(lines []logLine) *engine.StartError {
	for i := len(lines) - 1; i >= 0; i-- {
		l := lines[i]
		if l.speaks() && !strings.Contains(l.text, "resource_tracker") && !strings.HasPrefix(l.text, " ") {
			return &engine.StartError{Class: classExited, Cause: said(l.text)}
		}
	}
	return nil
}
