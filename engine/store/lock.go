package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"time"

	"github.com/gofrs/flock"
)

// Holder says who holds the lock of a workspace.
type Holder struct {
	Pid     int       `json:"pid"`
	Host    string    `json:"host"`
	User    string    `json:"user"`
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
}

// Self describes this process; command is what the user typed.
func Self(command string, now time.Time) Holder {
	h := Holder{Pid: os.Getpid(), Command: command, Since: now.UTC().Truncate(time.Second)}
	h.Host, _ = os.Hostname()
	if u, err := user.Current(); err == nil {
		h.User = u.Username
	} else {
		h.User = "uid " + strconv.Itoa(os.Getuid())
	}
	return h
}

func (h Holder) String() string {
	return fmt.Sprintf("%s (pid %d on %s, user %s, since %s)",
		h.Command, h.Pid, h.Host, h.User, h.Since.Format("2006-01-02 15:04:05 MST"))
}

// HeldError is returned when another run holds the lock.
type HeldError struct {
	Workspace string
	Path      string  // of the lock file
	Holder    *Holder // nil when it has not yet said who it is
}

func (e *HeldError) Error() string {
	who := "another run"
	if e.Holder != nil {
		who = e.Holder.String()
	}
	return fmt.Sprintf("workspace %q is locked by %s. Wait for it to end; the lock %s goes with its process and is never stale",
		e.Workspace, who, e.Path)
}

// The lock is tried often enough that a look at it by [Store.Holder], which
// takes it shared for a moment, is not mistaken for a run.
const (
	lockRetry   = 25 * time.Millisecond
	lockMinimum = 8 * lockRetry
)

// Lock takes the lock of the workspace and makes its directory where needed. It
// waits at most wait (and a moment, when wait is zero) and then returns a
// [*HeldError]. The kernel releases the lock when the process ends, however it
// ends, so there is no lock to break.
func (s *Store) Lock(ctx context.Context, h Holder, wait time.Duration) (*Locked, error) {
	if err := os.MkdirAll(s.dir, dirMode); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	fl := flock.New(s.path(lockFile), flock.SetPermissions(fileMode))
	limited, cancel := context.WithTimeout(ctx, max(wait, lockMinimum))
	defer cancel()
	ok, err := fl.TryLockContext(limited, lockRetry)
	switch {
	case ok:
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return nil, &HeldError{Workspace: s.workspace, Path: fl.Path(), Holder: readHolder(fl.Path())}
	default:
		return nil, fmt.Errorf("lock %s: %w", fl.Path(), err)
	}
	if err := writeHolder(fl.Path(), h); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", fl.Path(), err), fl.Close())
	}
	return &Locked{store: s, lock: fl, holder: h, now: time.Now}, nil
}

// Holder says who holds the lock now; nil when nobody does. It writes nothing.
func (s *Store) Holder() (*Holder, error) {
	path := s.path(lockFile)
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	fl := flock.New(path, flock.SetFlag(os.O_RDONLY))
	free, err := fl.TryRLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if free {
		return nil, fl.Close()
	}
	if h := readHolder(path); h != nil {
		return h, nil
	}
	return &Holder{Command: "another run"}, nil
}

// writeHolder writes in place: the lock belongs to this very file, so it must
// not be replaced by another one.
func writeHolder(path string, h Holder) error {
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), fileMode)
}

func readHolder(path string) *Holder {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var h Holder
	if json.Unmarshal(raw, &h) != nil {
		return nil
	}
	return &h
}
