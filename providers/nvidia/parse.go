package nvidia

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const mebibyte = 1 << 20

// maxMebibytes is far beyond any device: above it a number is no size.
const maxMebibytes = 1 << 30

func parseGPUs(out string) ([]GPU, error) {
	var gpus []GPU
	for _, row := range rows(out) {
		col, err := columns(row, 6)
		if err != nil {
			return nil, err
		}
		index, err := strconv.Atoi(col[0])
		if err != nil || index < 0 {
			return nil, fmt.Errorf("%w: %.100q has no index", ErrFormat, row)
		}
		g := GPU{Index: index, UUID: told(col[1]), Name: told(col[5])}
		if err := sizes(row, col[2:5], &g.Total, &g.Used, &g.Free); err != nil {
			return nil, err
		}
		gpus = append(gpus, g)
	}
	slices.SortStableFunc(gpus, func(a, b GPU) int { return cmp.Compare(a.Index, b.Index) })
	return gpus, nil
}

func parseProcesses(out string) ([]Process, error) {
	var processes []Process
	for _, row := range rows(out) {
		col, err := columns(row, 4)
		if err != nil {
			return nil, err
		}
		p := Process{GPU: told(col[0]), Name: told(col[3])}
		if pid := told(col[1]); pid != "" {
			if p.Pid, err = strconv.Atoi(pid); err != nil || p.Pid < 0 {
				return nil, fmt.Errorf("%w: %.100q has no process id", ErrFormat, row)
			}
		}
		if err := sizes(row, col[2:3], &p.Memory); err != nil {
			return nil, err
		}
		processes = append(processes, p)
	}
	return processes, nil
}

// rows splits the answer into lines, without the remarks that some drivers put
// among them.
func rows(out string) []string {
	var kept []string
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "WARNING:") && !strings.HasPrefix(line, "No devices were found") {
			kept = append(kept, line)
		}
	}
	return kept
}

// columns splits a line at its first commas; the last column keeps its own.
func columns(row string, n int) ([]string, error) {
	col := strings.SplitN(row, ",", n)
	if len(col) != n {
		return nil, fmt.Errorf("%w: %.100q has %d of %d columns", ErrFormat, row, len(col), n)
	}
	for i := range col {
		col[i] = strings.TrimSpace(col[i])
	}
	return col, nil
}

// told is the value of a column, empty for what the driver does not tell:
// [N/A], [Not Supported], [Insufficient Permissions], [Unknown Error].
func told(col string) string {
	if strings.HasPrefix(col, "[") && strings.HasSuffix(col, "]") || col == "N/A" {
		return ""
	}
	return col
}

// sizes converts columns of MiB to bytes.
func sizes(row string, cols []string, into ...*int64) error {
	for i, size := range into {
		*size = Unknown
		text := strings.TrimSuffix(told(cols[i]), " MiB")
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || n > maxMebibytes {
			return fmt.Errorf("%w: %.100q has no size where one is due", ErrFormat, row)
		}
		*size = n * mebibyte
	}
	return nil
}
