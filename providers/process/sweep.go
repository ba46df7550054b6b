package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// SweepDirs removes the launch directories below root, except those named in
// keep and those that a living process of this user was started in.
func SweepDirs(root string, keep []string) error {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("launch directories: %w", err)
	}
	var over []string
	for _, e := range entries {
		if e.IsDir() && !slices.Contains(keep, e.Name()) {
			over = append(over, e.Name())
		}
	}
	if len(over) == 0 {
		return nil
	}
	used, err := inUse(root)
	for _, name := range over {
		if err == nil && !used(name) {
			err = RemoveDir(filepath.Join(root, name))
		}
	}
	return err
}

// inUse tells of a directory below root whether a process of this user works in
// it or carries the token that begins with its name: the environment still says
// so when a directory was moved, and children inherit both.
func inUse(root string) (func(name string) bool, error) {
	table, err := All()
	if err != nil {
		return nil, err
	}
	var tokens, dirs []string
	for _, p := range table {
		if !p.Mine() {
			continue
		}
		if t := tokenOf(p.Pid); t != "" {
			tokens = append(tokens, t)
		}
		if dir := workingDir(p.Pid); dir != "" {
			dirs = append(dirs, dir)
		}
	}
	resolved, err := filepath.EvalSymlinks(root)
	return func(name string) bool {
		return slices.ContainsFunc(tokens, func(t string) bool { return strings.HasPrefix(t, name) }) ||
			slices.Contains(dirs, filepath.Join(resolved, name))
	}, err
}

func workingDir(pid int) string { return link(pid, "cwd") }

// link reads a link of /proc/PID. The kernel follows what was renamed; empty when
// it cannot be read, or what it leads to was removed.
func link(pid int, name string) string {
	path, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), name))
	if err != nil || strings.HasSuffix(path, " (deleted)") {
		return ""
	}
	return path
}
