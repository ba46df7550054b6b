package ollama

import (
	"cmp"
	"fmt"
	"strconv"
	"time"
)

// forever is how people say that a model stays loaded until it is stopped. It
// is what holds when nothing is declared.
const forever = "forever"

// endless is the parsed forever, in the form that the API takes.
const endless time.Duration = -1

// distant is further away than any keep_alive that people declare: an expiry
// beyond it means "never" (Ollama adds about 292 years for a negative one).
const distant = 20 * 365 * 24 * time.Hour

// parting is how close its expiry is to a runner that is being unloaded: an
// unload sets it to that very moment, the unloading comes after it.
const parting = time.Second

// parseKeepAlive reads a declared keep_alive: "forever" (also when empty, and
// any negative time), a Go duration, or a bare number of seconds, as in Ollama's
// API. Zero would unload the model at once and is refused.
func parseKeepAlive(s string) (time.Duration, error) {
	if s == "" || s == forever {
		return endless, nil
	}
	d, err := time.ParseDuration(s)
	if seconds, numeric := strconv.ParseInt(s, 10, 32); numeric == nil {
		d, err = time.Duration(seconds)*time.Second, nil
	}
	switch {
	case err != nil:
		return 0, fmt.Errorf(`keep_alive is a duration such as "30m", or "forever", not %q`, s)
	case d < 0:
		return endless, nil
	case d == 0:
		return 0, fmt.Errorf("keep_alive %q would unload the model as soon as it is loaded", s)
	}
	return d, nil
}

// stays tells whether a keep_alive, which Render has checked, has no end.
func stays(keepAlive string) bool {
	d, _ := parseKeepAlive(keepAlive)
	return d == endless
}

// wireKeepAlive is what the API takes for a declared keep_alive.
func wireKeepAlive(s string) any {
	d, _ := parseKeepAlive(s)
	if d == endless {
		return -1
	}
	return d.String()
}

// liveKeepAlive is what a runner shows of its keep_alive, in the spelling of the
// launch where the two agree. They are compared by kind only: a finite time runs
// down and starts again with every request, so what is left of it says nothing
// about its length.
func liveKeepAlive(r runner, launched string) string {
	left := time.Until(r.ExpiresAt)
	switch endlessly := left > distant; {
	case endlessly == stays(launched):
		return cmp.Or(launched, forever)
	case endlessly:
		return forever
	}
	return left.Round(time.Second).String()
}

// leaving tells whether a runner is on its way out of memory.
func (r runner) leaving() bool { return time.Until(r.ExpiresAt) < parting }
