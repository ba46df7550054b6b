package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrPort is a port that somebody else has.
var ErrPort = errors.New("the port is taken")

// PortFree returns an error that wraps ErrPort and names the holder when
// something listens on the port, or has bound it and does not listen yet: two
// servers that load at the same time both bind, and the loser never serves. What
// the processes of leaving hold counts as free: they will have ended.
func PortFree(host string, port int, leaving []Proc) error {
	listeners, err := Listeners(host, port)
	if err != nil {
		return err
	}
	for _, l := range listeners {
		if _, leaves := l.Holder(leaving); !leaves {
			return fmt.Errorf("port %d: %s listens on it: %w", port, l.Owner(), ErrPort)
		}
	}
	if len(leaving) > 0 {
		return nil // who has bound a port without listening is not to be seen: it may be one of them
	}
	bound, err := boundSilently(host, port)
	if err != nil {
		return err
	}
	if bound {
		return fmt.Errorf("port %d: a process has bound it and does not listen yet, perhaps another server that is starting: %w", port, ErrPort)
	}
	return nil
}

// boundSilently tries to bind without SO_REUSEADDR. The kernel lists no socket
// that is bound only, so the failure is the only sign of it; connections of an
// earlier server that linger on the port fail the same way, but are listed.
func boundSilently(host string, port int) (bool, error) {
	plain := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		control := c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 0)
		})
		return errors.Join(control, err)
	}}
	ln, err := plain.Listen(context.Background(), "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err == nil {
		return false, ln.Close()
	}
	if !errors.Is(err, unix.EADDRINUSE) {
		return false, fmt.Errorf("port %d: %w", port, err)
	}
	all, err := sockets()
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(all, func(s socket) bool { return s.port == port }), nil
}
