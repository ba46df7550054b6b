package process

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test binary plays the processes that the tests start: its first argument
// says which part. Every part ends by itself after a minute.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "play" {
		time.AfterFunc(time.Minute, func() { os.Exit(3) })
		play(os.Args[2], os.Args[3:])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func play(part string, args []string) {
	switch part {
	case "sleep": // ends at TERM
		fmt.Println("asleep")
		select {}
	case "deaf": // ignores TERM
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("asleep")
		select {}
	case "swallow": // needs two TERMs
		ch := make(chan os.Signal, 2)
		signal.Notify(ch, syscall.SIGTERM)
		fmt.Println("asleep")
		<-ch
		<-ch
		fmt.Println("ended by the second TERM")
	case "fds":
		fds, _ := os.ReadDir("/proc/self/fd")
		for _, fd := range fds {
			target, _ := os.Readlink("/proc/self/fd/" + fd.Name())
			fmt.Println("fd", fd.Name(), target)
		}
	case "family": // a leader with children: args are their parts
		for _, a := range args {
			child := exec.Command(os.Args[0], "play", a)
			child.Stdout = os.Stdout
			if a == "hidden" { // a session of its own
				child.Args[2] = "deaf"
				child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			}
			if a == "tracker" {
				child.Args = []string{os.Args[0], "play", "tracker", "resource_tracker"}
			}
			if err := child.Start(); err != nil {
				panic(err)
			}
			go child.Wait()
		}
		fmt.Println("asleep")
		select {}
	case "tracker": // as Python's: deaf, ends when it is alone in its session, and says so
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
		fmt.Println("asleep")
		session, _ := unix.Getsid(0)
		for {
			time.Sleep(20 * time.Millisecond)
			table, _ := All()
			alone := true
			for _, p := range table {
				alone = alone && (p.Session != session || p.Pid == os.Getpid())
			}
			if alone {
				fmt.Println("cleaned up")
				return
			}
		}
	case "listen":
		ln, err := net.Listen("tcp", args[0])
		if err != nil {
			panic(err)
		}
		fmt.Println("asleep", ln.Addr())
		select {}
	}
}

func getsid() int { sid, _ := unix.Getsid(0); return sid }
