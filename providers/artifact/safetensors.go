package artifact

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
)

// Bounds of a safetensors header. The format's own limit is 100 MB; the largest
// published files have some ten thousand tensors.
const (
	maxHeader  = 100_000_000
	maxTensors = 1 << 20
	maxTensor  = 64 << 10 // bytes of one tensor's entry
)

// tensor is one entry of a header. Elements is the product of the shape.
type tensor struct {
	Name     string
	DType    string
	Elements int64
	Bytes    int64
	end      int64
}

// header is what the head of a safetensors file says.
type header struct {
	Tensors []tensor
	Bytes   int64 // of tensor data
}

// dtypeBits has the width of each element type of the format, in bits.
var dtypeBits = map[string]int64{
	"F64": 64, "F32": 32, "F16": 16, "BF16": 16, "C64": 64,
	"I64": 64, "U64": 64, "I32": 32, "U32": 32, "I16": 16, "U16": 16, "I8": 8, "U8": 8, "BOOL": 8,
	"F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
	"F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
}

// readHeader reads and checks the header of a safetensors file of size bytes:
// eight bytes of length (little endian), a JSON object, then data without gaps.
// Data is not read; that it is all there follows from the size. Every error
// continues a sentence that begins with the file's name.
func readHeader(r io.ReaderAt, size int64) (header, error) {
	var prefix [8]byte
	if size < int64(len(prefix)) {
		return header{}, fmt.Errorf("is cut short: %d bytes are no safetensors file", size)
	}
	if _, err := r.ReadAt(prefix[:], 0); err != nil {
		return header{}, fmt.Errorf("cannot be read: %w", err)
	}
	n := binary.LittleEndian.Uint64(prefix[:])
	if n > maxHeader {
		return header{}, fmt.Errorf("is not a safetensors file: a header of %d bytes", n)
	}
	if int64(n) > size-8 {
		return header{}, fmt.Errorf("is cut short: the header has %d bytes, the file %d", n, size)
	}
	h, err := parseHeader(io.NewSectionReader(r, 8, int64(n)))
	if err != nil {
		return header{}, err
	}
	return h, h.check(size - 8 - int64(n))
}

// check compares the header with the bytes of data that follow it.
func (h header) check(data int64) error {
	var end int64
	for _, t := range h.Tensors {
		end = max(end, t.end)
	}
	switch {
	case end > data:
		return fmt.Errorf("is cut short: %d of %d bytes of tensors", data, end)
	case end < data:
		return fmt.Errorf("has %d bytes after the last tensor", data-end)
	case h.Bytes != end:
		return errors.New("is damaged: its tensors overlap or leave gaps")
	case len(h.Tensors) == 0:
		return errors.New("holds no tensors")
	}
	return nil
}

// parseHeader decodes entry by entry, so that memory is bounded by one entry and
// what is kept of each.
func parseHeader(r io.Reader) (header, error) {
	dec := json.NewDecoder(r)
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return header{}, errors.New("is not a safetensors file: its header is no JSON object")
	}
	var h header
	seen := map[string]bool{}
	for dec.More() {
		t, ok, err := parseEntry(dec)
		if err != nil {
			return header{}, err
		}
		if !ok {
			continue
		}
		if seen[t.Name] || len(seen) == maxTensors {
			return header{}, fmt.Errorf("is damaged: tensor %.80q twice, or more than %d tensors", t.Name, maxTensors)
		}
		seen[t.Name] = true
		h.Tensors = append(h.Tensors, t)
		if h.Bytes += t.Bytes; h.Bytes < 0 {
			return header{}, errors.New("is damaged: its tensors overlap or leave gaps")
		}
	}
	if _, err := dec.Token(); err != nil {
		return header{}, errors.New("is damaged: its header ends early")
	}
	return h, nil
}

// parseEntry reads a name and what belongs to it; ok is false for metadata.
func parseEntry(dec *json.Decoder) (t tensor, ok bool, err error) {
	key, err := dec.Token()
	if err != nil {
		return tensor{}, false, fmt.Errorf("is damaged: its header is no JSON: %w", err)
	}
	name, _ := key.(string) // the decoder gives nothing else for a key
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		return tensor{}, false, fmt.Errorf("is damaged: its header is no JSON: %w", err)
	}
	if name == "__metadata__" {
		return tensor{}, false, nil
	}
	if len(raw) > maxTensor {
		return tensor{}, false, fmt.Errorf("is damaged: the entry of tensor %.80q has %d bytes", name, len(raw))
	}
	t, err = parseTensor(name, raw)
	return t, true, err
}

func parseTensor(name string, raw []byte) (tensor, error) {
	var e struct {
		DType   string   `json:"dtype"`
		Shape   []uint64 `json:"shape"`
		Offsets []uint64 `json:"data_offsets"`
	}
	bad := fmt.Errorf("is damaged: tensor %.80q has no valid type, shape and offsets", name)
	if json.Unmarshal(raw, &e) != nil || len(e.Offsets) != 2 {
		return tensor{}, bad
	}
	begin, end := e.Offsets[0], e.Offsets[1]
	elements, ok := product(e.Shape)
	if !ok || begin > end || end > math.MaxInt64/2 {
		return tensor{}, bad
	}
	t := tensor{Name: name, DType: e.DType, Elements: elements, Bytes: int64(end - begin), end: int64(end)}
	if w := dtypeBits[e.DType]; w > 0 && (elements*w+7)/8 != t.Bytes {
		return tensor{}, fmt.Errorf("is damaged: tensor %.80q has %d bytes for %d elements of %s", name, t.Bytes, elements, e.DType)
	}
	return t, nil
}

// product multiplies a shape; ok is false beyond 2^56, more than any disk holds.
func product(shape []uint64) (n int64, ok bool) {
	p := uint64(1)
	for _, d := range shape {
		hi, lo := bits.Mul64(p, d)
		if hi != 0 || lo > 1<<56 {
			return 0, false
		}
		p = lo
	}
	return int64(p), true
}
