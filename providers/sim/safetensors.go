package sim

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxHeader is the format's own limit for the header, in bytes.
const maxHeader = 100_000_000

// tensor is one entry of a safetensors header. Offsets are relative to the
// first byte after the header.
type tensor struct {
	DType   string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// header of one safetensors file.
type header struct {
	tensors map[string]tensor
	data    int64 // position of the first byte of data
}

// Mistakes in a safetensors file, in the words of the format's library.
var (
	errHeaderSmall  = errors.New("header too small")
	errHeaderLarge  = errors.New("header too large")
	errHeaderLength = errors.New("invalid header length")
	errNotCovered   = errors.New("incomplete metadata, file not fully covered")
)

// readHeader reads and checks the header of a safetensors file against the
// file's size: a file that was cut short is refused.
func readHeader(path string) (header, error) {
	f, err := os.Open(path)
	if err != nil {
		return header{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return header{}, err
	}
	length, err := headerLength(f, info.Size())
	if err != nil {
		return header{}, err
	}
	raw := make([]byte, length)
	if _, err := io.ReadFull(f, raw); err != nil {
		return header{}, err
	}
	h, err := decodeHeader(raw)
	h.data = 8 + length
	if err == nil && h.end() != info.Size()-h.data {
		err = errNotCovered
	}
	return h, err
}

func headerLength(r io.Reader, size int64) (int64, error) {
	var prefix [8]byte
	if _, err := io.ReadFull(r, prefix[:]); err != nil {
		return 0, errHeaderSmall
	}
	length := binary.LittleEndian.Uint64(prefix[:])
	switch {
	case length > maxHeader:
		return 0, errHeaderLarge
	case int64(length)+8 > size:
		return 0, errHeaderLength
	}
	return int64(length), nil
}

func decodeHeader(raw []byte) (header, error) {
	entries := map[string]json.RawMessage{}
	if err := json.Unmarshal(raw, &entries); err != nil {
		return header{}, fmt.Errorf("invalid JSON in header: %w", err)
	}
	h := header{tensors: map[string]tensor{}}
	for name, text := range entries {
		if name == "__metadata__" {
			continue
		}
		var t tensor
		if err := json.Unmarshal(text, &t); err != nil {
			return header{}, fmt.Errorf("invalid JSON in header: %w", err)
		}
		h.tensors[name] = t
	}
	return h, nil
}

// end is where the last tensor ends.
func (h header) end() (last int64) {
	for _, t := range h.tensors {
		last = max(last, t.Offsets[1])
	}
	return last
}
