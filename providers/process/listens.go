package process

import (
	"context"
	"fmt"
	"time"
)

// Hearing says who answers on a port, as seen from one instance.
type Hearing int

// Hearings.
const (
	Silent  Hearing = iota // nobody listens
	Ours                   // a process of the instance listens
	Theirs                 // somebody else listens
	Divided                // both: the kernel spreads connections over them
)

// Listens tells who listens on the port: a process of the sighting or a
// stranger, who is then described.
func (s Sighting) Listens(host string, port int) (Hearing, string, error) {
	listeners, err := Listeners(host, port)
	if err != nil {
		return Silent, "", err
	}
	result, stranger := Silent, ""
	for _, l := range listeners {
		_, ours := l.Holder(s.Members)
		switch {
		case ours && result == Silent:
			result = Ours
		case ours && result == Theirs:
			result = Divided
		case !ours:
			stranger = l.Owner()
			if result == Silent {
				result = Theirs
			} else if result == Ours {
				result = Divided
			}
		}
	}
	return result, stranger, nil
}

func holdsPort(s Sighting, opt StopOptions) bool {
	if opt.Port == 0 {
		return false
	}
	h, _, err := s.Listens(opt.Host, opt.Port)
	return err == nil && (h == Ours || h == Divided)
}

// awaitPort confirms that a port which the instance held is free again; a
// child that hid from us would still hold it.
func awaitPort(ctx context.Context, opt StopOptions) error {
	for begun := time.Now(); ; {
		listeners, err := Listeners(opt.Host, opt.Port)
		if err != nil || len(listeners) == 0 {
			return err
		}
		if time.Since(begun) >= portGrace {
			return fmt.Errorf("stop: all processes have ended, but %s listens on port %d", listeners[0].Owner(), opt.Port)
		}
		if err := sleep(ctx, pollEvery); err != nil {
			return err
		}
	}
}
