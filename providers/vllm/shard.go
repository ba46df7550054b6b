package vllm

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// maxHeader is the format's own limit for the header of a safetensors file.
const maxHeader = 100_000_000

// checkShard compares the size of a safetensors file with what its header
// promises: eight bytes of length (little endian), a JSON object with the place
// of each tensor, then the tensors to the last byte.
func checkShard(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return there(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return there(path, err)
	}
	head := make([]byte, min(info.Size(), 64))
	if _, err := io.ReadFull(f, head); err != nil {
		return there(path, err)
	}
	if isPointer(head) {
		return pointer(path)
	}
	if says := misfit(f, head, info.Size()); says != "" {
		return &damagedError{path, says}
	}
	return nil
}

// misfit says what is wrong with the file; empty when nothing is.
func misfit(r io.ReaderAt, head []byte, size int64) string {
	if size < 8 {
		return fmt.Sprintf("is cut short: %d bytes are no safetensors file", size)
	}
	n := binary.LittleEndian.Uint64(head)
	switch {
	case n > maxHeader:
		return "is no safetensors file"
	case int64(n) > size-8:
		return fmt.Sprintf("is cut short: its header has %d bytes, the file %d", n, size)
	}
	end, err := lastByte(io.NewSectionReader(r, 8, int64(n)))
	want := 8 + int64(n) + end
	switch {
	case err != nil:
		return fmt.Sprintf("is damaged: its header cannot be read (%v)", err)
	case size < want:
		return fmt.Sprintf("is cut short: it has %d of %d bytes", size, want)
	case size > want:
		return fmt.Sprintf("is damaged: it has %d bytes and should have %d", size, want)
	}
	return ""
}

// lastByte is where the last tensor ends, counted from the end of the header. It
// decodes entry by entry, so that memory is bounded by one of them.
func lastByte(header io.Reader) (int64, error) {
	dec := json.NewDecoder(header)
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return 0, fmt.Errorf("no JSON object")
	}
	var end int64
	for dec.More() {
		if _, err := dec.Token(); err != nil {
			return 0, err
		}
		var entry struct {
			Offsets []int64 `json:"data_offsets"`
		}
		if err := dec.Decode(&entry); err != nil {
			return 0, err
		}
		if len(entry.Offsets) == 2 {
			end = max(end, entry.Offsets[1])
		}
	}
	_, err := dec.Token()
	return end, err
}
