package ollama

import (
	"fmt"
	"strconv"
	"time"
)

// forever is how a launch says that a model stays loaded until it is stopped.
const forever = "forever"

// distant is further away than any keep_alive that people declare: an expiry
// beyond it means "never" (Ollama adds about 292 years for a negative one).
const distant = 20 * 365 * 24 * time.Hour

// parseKeepAlive brings a declared keep_alive into one form: "forever" (also
// the default, and any negative time) or a Go duration. A bare number is seconds,
// as in Ollama's API. Zero would unload the model at once and is refused.
func parseKeepAlive(s string) (string, error) {
	if s == "" || s == forever {
		return forever, nil
	}
	d, err := time.ParseDuration(s)
	if seconds, numeric := strconv.ParseInt(s, 10, 32); numeric == nil {
		d, err = time.Duration(seconds)*time.Second, nil
	}
	switch {
	case err != nil:
		return "", fmt.Errorf(`keep_alive is a duration such as "30m", or "forever", not %q`, s)
	case d < 0:
		return forever, nil
	case d == 0:
		return "", fmt.Errorf("keep_alive %q would unload the model as soon as it is loaded", s)
	}
	return d.String(), nil
}

// wireKeepAlive is what the API takes for a parsed keep_alive.
func wireKeepAlive(s string) any {
	if s == forever {
		return -1
	}
	return s
}
