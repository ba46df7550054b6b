package process

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/prometheus/procfs"
)

// tcpListen is the state LISTEN of the kernel's socket tables (TCP_LISTEN in
// include/net/tcp_states.h).
const tcpListen = 10

// Listener is a listening TCP socket of this network namespace.
type Listener struct {
	Address net.IP
	Inode   uint64
}

// Listeners are the sockets that listen on the port at an address that overlaps
// with host. A name that is no address overlaps with every one.
func Listeners(host string, port int) ([]Listener, error) {
	lines, err := sockets()
	if err != nil {
		return nil, err
	}
	var out []Listener
	for _, s := range lines {
		if s.state == tcpListen && s.port == port && overlap(s.address, net.ParseIP(host)) {
			out = append(out, Listener{s.address, s.inode})
		}
	}
	return out, nil
}

type socket struct {
	address net.IP
	port    int
	state   uint64
	inode   uint64
}

func sockets() ([]socket, error) {
	pfs, err := procfs.NewDefaultFS()
	if err != nil {
		return nil, fmt.Errorf("socket table: %w", err)
	}
	var out []socket
	//nolint:staticcheck // netlink needs a privilege in some containers, /proc does not
	for _, table := range []func() (procfs.NetTCP, error){pfs.NetTCP, pfs.NetTCP6} {
		lines, err := table()
		if errors.Is(err, fs.ErrNotExist) {
			continue // a kernel without IPv6
		}
		if err != nil {
			return nil, fmt.Errorf("socket table: %w", err)
		}
		for _, l := range lines {
			out = append(out, socket{l.LocalAddr, int(l.LocalPort), l.St, l.Inode})
		}
	}
	return out, nil
}

// overlap: one of the two is unknown or unspecified, or they are equal.
func overlap(a, b net.IP) bool {
	return a == nil || b == nil || a.IsUnspecified() || b.IsUnspecified() || a.Equal(b)
}

// Holder finds which of the processes holds the socket open, the first one
// first.
func (l Listener) Holder(among []Proc) (Proc, bool) {
	for _, p := range among {
		if l.heldBy(p.Pid) {
			return p, true
		}
	}
	return Proc{}, false
}

func (l Listener) heldBy(pid int) bool {
	want := fmt.Sprintf("socket:[%d]", l.Inode)
	dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	fds, err := os.ReadDir(dir)
	if err != nil {
		return false // gone, or not ours to look into
	}
	return slices.ContainsFunc(fds, func(fd fs.DirEntry) bool {
		target, err := os.Readlink(filepath.Join(dir, fd.Name()))
		return err == nil && target == want
	})
}

// Owner describes who holds the socket: a process of this user, or nobody that
// this user may look at.
func (l Listener) Owner() string {
	table, err := All()
	if err != nil {
		return "an unknown process"
	}
	var all []Proc
	for _, p := range table {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Proc) int { return a.Pid - b.Pid })
	if p, ok := l.Holder(all); ok {
		return p.String()
	}
	return "a process of another user"
}
