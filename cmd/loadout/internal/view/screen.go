package view

import (
	"io"
	"strings"
	"time"

	"golang.org/x/term"
)

// Screen is where text goes and what it may use there. It is decided once, by
// [NewScreen], for each of stdout and stderr.
type Screen struct {
	W     io.Writer
	Width int            // columns; 80 when piped
	Color bool           // escapes for color
	ASCII bool           // nothing beyond ASCII can be shown
	TTY   bool           // a terminal: prose is wrapped
	Live  bool           // a terminal that can repaint lines: not TERM=dumb
	Zone  *time.Location // of the times that are shown; nil is the host's
}

// Flags are the options of the command line that the screen depends on.
type Flags struct {
	NoColor bool // --no-color
}

// defaultWidth is the width of a log, a file and a terminal that does not tell.
const defaultWidth = 80

// minWidth keeps the layout sane in a terminal that claims to be tiny.
const minWidth = 40

// NewScreen decides how to write to w. environ is in the form of os.Environ.
//
// Color: --no-color, then NO_COLOR (not empty), then CLICOLOR_FORCE (not empty,
// not 0), then TERM=dumb, then whether w is a terminal; the first that applies
// wins (https://no-color.org, https://bixense.com/clicolors). Symbols beyond
// ASCII need a UTF-8 locale (LC_ALL, LC_CTYPE, LANG, first one set) and a
// terminal that is not dumb.
func NewScreen(w io.Writer, f Flags, environ []string) *Screen {
	env := environment(environ)
	s := &Screen{W: w, Width: defaultWidth}
	if fd, ok := w.(interface{ Fd() uintptr }); ok && term.IsTerminal(int(fd.Fd())) {
		s.TTY = true
		if width, _, err := term.GetSize(int(fd.Fd())); err == nil && width > 0 {
			s.Width = max(width, minWidth)
		}
	}
	s.Live = s.TTY && env["TERM"] != "dumb"
	s.Color = wantsColor(f, env, s.TTY)
	s.ASCII = env["TERM"] == "dumb" || !unicodeLocale(env)
	return s
}

func environment(environ []string) map[string]string {
	env := make(map[string]string, len(environ))
	for _, kv := range environ {
		if k, v, ok := strings.Cut(kv, "="); ok {
			env[k] = v
		}
	}
	return env
}

func wantsColor(f Flags, env map[string]string, tty bool) bool {
	switch {
	case f.NoColor || env["NO_COLOR"] != "":
		return false
	case env["CLICOLOR_FORCE"] != "" && env["CLICOLOR_FORCE"] != "0":
		return true
	case env["TERM"] == "dumb":
		return false
	}
	return tty
}

// unicodeLocale follows the order of setlocale(3). No locale at all is POSIX.
func unicodeLocale(env map[string]string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(env[name]); v != "" {
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return false
}

// columns is the width that titles are laid out for: costs stay within sight of
// the names on a very wide terminal.
func (s *Screen) columns() int { return min(s.Width, 100) }

// in gives a time in the zone of the screen.
func (s *Screen) in(t time.Time) time.Time {
	if s.Zone != nil {
		return t.In(s.Zone)
	}
	return t.Local()
}
