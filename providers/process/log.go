package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Lines reads the output of one launch: what stands in the log file behind
// offset, but at most the last limit bytes. Progress bars end their lines with
// a carriage return, so lines end with either.
func Lines(path string, offset, limit int64) ([]string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	from := max(offset, size-limit)
	b, err := io.ReadAll(io.NewSectionReader(f, from, size-from))
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	return splitLines(string(b)), nil
}

func splitLines(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
}

// Follower reads a log file as it grows.
type Follower struct {
	path   string
	offset int64
	rest   []byte // of a line that is not finished
}

// Follow begins at the offset.
func Follow(path string, offset int64) *Follower { return &Follower{path: path, offset: offset} }

// Next returns the lines that were finished since the last call; a log that
// cannot be read has none.
func (f *Follower) Next() []string {
	file, err := os.Open(f.path)
	if err != nil {
		return nil
	}
	defer file.Close()
	b, err := io.ReadAll(io.NewSectionReader(file, f.offset, 1<<20))
	if err != nil {
		return nil
	}
	f.offset += int64(len(b))
	f.rest = append(f.rest, b...)
	end := bytes.LastIndexAny(f.rest, "\r\n")
	if end < 0 {
		return nil
	}
	lines := splitLines(string(f.rest[:end]))
	f.rest = bytes.Clone(f.rest[end+1:])
	return lines
}
