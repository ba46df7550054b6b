package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// LogPath is where the log of a launch goes, relative to the state directory.
func LogPath(model, id string) string {
	return filepath.Join("logs", Escape(model), id+".log")
}

// LaunchDir is the directory of a launch, relative to the state directory. It
// is short, because sockets lie in it, whose paths Linux limits to 107 bytes.
func LaunchDir(token string) string {
	return filepath.Join("launches", token[:min(len(token), 12)])
}

// NextLaunch gives the number of the next launch of a model: one more than any
// that has a log, is recorded, or is in the journal.
func (l *Locked) NextLaunch(model string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.journal == nil {
		return "", errNotBegun
	}
	logged, err := highestLog(filepath.Join(l.store.dir, filepath.Dir(LogPath(model, "0"))))
	if err != nil {
		return "", fmt.Errorf("logs of model %q: %w", model, err)
	}
	l.issued[model] = max(l.issued[model], logged) + 1
	return strconv.FormatInt(l.issued[model], 10), nil
}

func highestLog(dir string) (int64, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	var highest int64
	for _, e := range entries {
		highest = max(highest, launchNumber(strings.TrimSuffix(e.Name(), ".log")))
	}
	return highest, err
}

func highestLaunches(snap *engine.Snapshot, journal records) map[string]int64 {
	out := map[string]int64{}
	see := func(in *engine.Instance) { out[in.Model] = max(out[in.Model], launchNumber(in.ID)) }
	if snap != nil {
		for i := range snap.Instances {
			see(&snap.Instances[i])
		}
	}
	for _, o := range journal.ops() {
		see(&o.instance)
	}
	return out
}

// launchNumber is 0 for what is not the number of a launch.
func launchNumber(id string) int64 {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
