package sim

import (
	"fmt"
	"time"
)

// measuredLoad is how long a tiny model takes the real server from start to
// ready on an idle machine; all other measured times scale by the same factor.
const measuredLoad = 35 * time.Second

// pace turns the real server's times into those of a rehearsal.
type pace struct {
	load time.Duration // from start to ready
	step time.Duration // for one generated token
}

// Shares of the loading time, as measured.
const (
	shareImports   = 0.25 // before anything is logged
	shareConfigure = 0.05 // from the banner to the engine's start
	shareHandshake = 0.20 // the engine's own imports
	shareWorker    = 0.15 // the worker's imports
	shareWeights   = 0.25 // weights: the part that a large model stretches
	shareWarmup    = 0.05
	shareFinish    = 0.05 // from the engine's readiness to listening
)

func readPace(env environment, w wishes) (pace, error) {
	p := pace{load: 300 * time.Millisecond}
	for name, into := range map[string]*time.Duration{"LOADOUT_SIM_LOAD": &p.load, "LOADOUT_SIM_STEP": &p.step} {
		text := env.get(name)
		if text == "" {
			continue
		}
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return p, fmt.Errorf("%s: %q is no duration such as 300ms or 1m", name, text)
		}
		*into = d
	}
	if w.has("slow") {
		p.load *= 10
	}
	return p, nil
}

func (p pace) share(s float64) time.Duration { return time.Duration(float64(p.load) * s) }

// scaled shortens a measured time by the factor of the loading time. least
// keeps it long enough to be seen; it is never longer than measured.
func (p pace) scaled(measured, least time.Duration) time.Duration {
	d := time.Duration(float64(measured) * float64(p.load) / float64(measuredLoad))
	return min(max(d, least), measured)
}
