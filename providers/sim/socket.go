package sim

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// socket is a TCP socket that is bound, and listens only when asked: until
// then connections are refused, and another server may bind the same port.
type socket struct {
	fd   int
	host string
	port int
}

// bind takes the port as vLLM does: with SO_REUSEADDR, so that only a port
// where somebody listens is refused.
func bind(host string, port int) (*socket, error) {
	if port < 0 || port > 65535 {
		return nil, raise("OverflowError", "bind(): port must be 0-65535.")
	}
	address, family, err := resolve(host, port)
	if err != nil {
		return nil, raise("socket.gaierror", "[Errno -2] Name or service not known")
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	if err := unix.Bind(fd, address); err != nil {
		unix.Close(fd)
		return nil, bindError(err)
	}
	return &socket{fd: fd, host: host, port: port}, nil
}

func bindError(err error) error {
	texts := map[error]string{unix.EADDRINUSE: "Address already in use", unix.EADDRNOTAVAIL: "Cannot assign requested address", unix.EACCES: "Permission denied"}
	var number unix.Errno
	if errors.As(err, &number) && texts[number] != "" {
		return raise("OSError", "[Errno %d] %s", int(number), texts[number])
	}
	return raise("OSError", "%s", err)
}

// resolve makes the address; an empty host means all IPv4 addresses.
func resolve(host string, port int) (unix.Sockaddr, int, error) {
	if host == "" {
		host = "0.0.0.0"
	}
	a, err := net.ResolveIPAddr("ip", host)
	if err != nil {
		return nil, 0, err
	}
	if four := a.IP.To4(); four != nil {
		return &unix.SockaddrInet4{Port: port, Addr: [4]byte(four)}, unix.AF_INET, nil
	}
	return &unix.SockaddrInet6{Port: port, Addr: [16]byte(a.IP.To16())}, unix.AF_INET6, nil
}

// address is host and port as the log names them.
func (s *socket) address() string {
	host := s.host
	if host == "" {
		host = "0.0.0.0"
	}
	return net.JoinHostPort(host, fmt.Sprint(s.port))
}

// listen opens the port. nil without an error means that another server was
// faster: as in vLLM nothing tells so, and this server never hears anything.
func (s *socket) listen() (net.Listener, error) {
	err := unix.Listen(s.fd, 2048)
	if errors.Is(err, unix.EADDRINUSE) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	file := os.NewFile(uintptr(s.fd), "listener")
	defer file.Close()
	return net.FileListener(file)
}
