package vllm

import (
	"regexp"
	"strings"
)

// logLine is a line of the log taken apart.
type logLine struct {
	depth int    // 3: worker, 2: engine core, 1: API server or a line without prefix
	level string // INFO, ERROR, …; empty for plain text
	where string // file.py:123
	text  string
}

var (
	processPrefix = regexp.MustCompile(`^\(([A-Za-z][\w-]*) pid=\d+\) ?`)
	levelPrefix   = regexp.MustCompile(`^(DEBUG|INFO|WARNING|ERROR|CRITICAL) \d\d-\d\d \d\d:\d\d:\d\d \[([^\]]*)\] ?`)
	plainLevel    = regexp.MustCompile(`^(INFO|WARNING):\s+`)
)

func parseLine(s string) logLine {
	l := logLine{depth: 1}
	if m := processPrefix.FindStringSubmatch(s); m != nil {
		l.depth = depthOf(m[1])
		s = s[len(m[0]):]
	}
	if m := levelPrefix.FindStringSubmatch(s); m != nil {
		l.level, l.where = m[1], m[2]
		s = s[len(m[0]):]
	} else if m := plainLevel.FindStringSubmatch(s); m != nil { // uvicorn
		l.level = m[1]
	}
	l.text = s
	return l
}

// depthOf: EngineCore was called EngineCore_DP0, and a worker VllmWorker-0 or
// Worker_TP0.
func depthOf(process string) int {
	switch {
	case strings.Contains(process, "Worker"):
		return 3
	case strings.HasPrefix(process, "EngineCore"):
		return 2
	}
	return 1
}

// speaks: the line may hold a cause. Informative lines quote settings, and the
// deeply indented lines of a traceback quote source code.
func (l logLine) speaks() bool {
	switch l.level {
	case "DEBUG", "INFO", "WARNING":
		return false
	}
	return strings.TrimSpace(l.text) != "" && !strings.HasPrefix(l.text, "    ")
}

var (
	exception = regexp.MustCompile(`^(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*(?:Error|Exception|Exit|Interrupt)): (.*)$`)
	pydantic  = regexp.MustCompile(`^\s*Value error, (.*)$`)
)

// said is the message of a line without what Python wraps around it.
func said(text string) string {
	text = strings.TrimSpace(text)
	if m := pydantic.FindStringSubmatch(text); m != nil {
		text = m[1]
	} else if m := exception.FindStringSubmatch(text); m != nil {
		switch m[1] {
		case "ValueError", "RuntimeError", "TypeError", "KeyError", "AssertionError", "Exception", "VLLMValidationError":
			text = strings.Trim(m[2], `'"`)
		default:
			text = m[1] + ": " + m[2]
		}
	}
	for _, tail := range []string{" [type=", " Try increasing", " See ", " To resolve:", " To allow overriding", " (parameter="} {
		text, _, _ = strings.Cut(text, tail)
	}
	return clip(strings.TrimSpace(text), 400)
}
