package process

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func listen(t *testing.T, address string) int {
	t.Helper()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln.Addr().(*net.TCPAddr).Port
}

func freePort(t *testing.T) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

func TestPortFree(t *testing.T) {
	if err := PortFree("127.0.0.1", freePort(t), nil); err != nil {
		t.Error(err)
	}
	port := listen(t, "127.0.0.1:0")
	err := PortFree("127.0.0.1", port, nil)
	if !errors.Is(err, ErrPort) || !strings.Contains(err.Error(), "pid "+strconv.Itoa(os.Getpid())) {
		t.Errorf("a listener: %v", err)
	}
	if err := PortFree("0.0.0.0", port, nil); !errors.Is(err, ErrPort) {
		t.Errorf("all addresses overlap with one: %v", err)
	}
	if err := PortFree("127.0.0.2", port, nil); err != nil {
		t.Errorf("another address: %v", err)
	}
}

// A server that has bound its port and still loads is in no socket table.
func TestPortBoundSilently(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := name.(*unix.SockaddrInet4).Port
	if err := PortFree("127.0.0.1", port, nil); !errors.Is(err, ErrPort) || !strings.Contains(err.Error(), "bound") {
		t.Error(err)
	}
}

// Connections of an earlier server linger on the port; that is no holder.
func TestPortLingering(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	server.Close() // the side that closes first lingers
	client.Close()
	ln.Close()
	if err := PortFree("127.0.0.1", ln.Addr().(*net.TCPAddr).Port, nil); err != nil {
		t.Error(err)
	}
}

func TestListens(t *testing.T) {
	port := freePort(t)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	c := start(t, 1, "listen", address)
	s := look(t, c.Identity)
	if h, who, err := s.Listens("127.0.0.1", port); h != Ours || err != nil {
		t.Error(h, who, err)
	}
	other := listen(t, "127.0.0.1:0")
	if h, who, err := s.Listens("127.0.0.1", other); h != Theirs || !strings.Contains(who, strconv.Itoa(os.Getpid())) || err != nil {
		t.Error(h, who, err)
	}
	if h, _, err := s.Listens("127.0.0.1", freePort(t)); h != Silent || err != nil {
		t.Error(h, err)
	}
	if err := Stop(context.Background(), c.Identity, StopOptions{Timeout: 5 * time.Second, Host: "127.0.0.1", Port: port}); err != nil {
		t.Fatal(err)
	}
	if err := PortFree("127.0.0.1", port, nil); err != nil {
		t.Error(err)
	}
}
