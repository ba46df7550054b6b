package sim

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// logger writes vLLM's log to stdout, one write a line, so that the lines of
// several processes do not mix.
type logger struct {
	out  io.Writer
	name string // of the process, as in the prefix
}

func (l logger) info(where, format string, args ...any)    { l.log("INFO", where, format, args...) }
func (l logger) warning(where, format string, args ...any) { l.log("WARNING", where, format, args...) }
func (l logger) error(where, format string, args ...any)   { l.log("ERROR", where, format, args...) }

func (l logger) log(level, where, format string, args ...any) {
	prefix := fmt.Sprintf("(%s pid=%d) %s %s [%s] ", l.name, os.Getpid(), level, time.Now().Format("01-02 15:04:05"), where)
	var b strings.Builder
	for line := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		b.WriteString(prefix + line + "\n")
	}
	_, _ = io.WriteString(l.out, b.String())
}

// gib writes bytes as GiB with two decimals, without trailing zeros: 22.5,
// 1.0.
func gib(bytes int64) string {
	return pythonFloat(float64(int64(float64(bytes)/(1<<30)*100+0.5)) / 100)
}

// thousands writes 4194304 as 4,194,304.
func thousands(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
