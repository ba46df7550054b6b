package sim

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// writeTensors spreads the tensors over the shards, in order and by size.
func (o Weights) writeTensors(dir string, vocabulary int, chain []int) error {
	all := o.parts(vocabulary, chain)
	if o.Shards > len(all) {
		return fmt.Errorf("%d shards are too many: the model has %d tensors", o.Shards, len(all))
	}
	files, total := spread(all, o.Shards)
	index := map[string]string{}
	for i, parts := range files {
		name := "model.safetensors"
		if o.Shards > 1 {
			name = fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, o.Shards)
		}
		for _, p := range parts {
			index[p.name] = name
		}
		if err := writeSafetensors(filepath.Join(dir, name), parts); err != nil {
			return err
		}
	}
	if o.Shards == 1 {
		return nil
	}
	return writeJSON(dir, "model.safetensors.index.json",
		map[string]any{"metadata": map[string]any{"total_size": total}, "weight_map": index})
}

// spread cuts the list into n runs of about the same size, none empty.
func spread(all []part, n int) (files [][]part, total int64) {
	for _, p := range all {
		total += p.bytes()
	}
	files, written := make([][]part, n), int64(0)
	at := 0
	for i, p := range all {
		left := len(all) - i
		full := written >= total*int64(at+1)/int64(n)
		if len(files[at]) > 0 && at+1 < n && (full || left <= n-at-1) {
			at++
		}
		files[at] = append(files[at], p)
		written += p.bytes()
	}
	return files, total
}

func writeSafetensors(path string, parts []part) (err error) {
	head := map[string]any{"__metadata__": map[string]string{"format": "pt"}}
	var end int64
	for _, p := range parts {
		head[p.name] = map[string]any{"dtype": "F16", "shape": p.shape, "data_offsets": []int64{end, end + p.bytes()}}
		end += p.bytes()
	}
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	text = append(text, strings.Repeat(" ", (8-len(text)%8)%8)...)
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := binary.Write(w, binary.LittleEndian, uint64(len(text))); err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	for _, p := range parts {
		if err := p.write(w); err != nil {
			return err
		}
	}
	return w.Flush()
}

func (p part) write(w io.Writer) error {
	if p.fill == 0 && p.some == nil {
		_, err := io.CopyN(w, zeros{}, p.bytes())
		return err
	}
	raw := make([]byte, p.bytes())
	for i := range len(raw) / 2 {
		v, ok := p.some[i]
		if !ok {
			v = p.fill
		}
		binary.LittleEndian.PutUint16(raw[2*i:], half(v))
	}
	_, err := w.Write(raw)
	return err
}

// zeros reads as zero bytes without end.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// half writes 0, 1 and 8, the only values of these weights, as IEEE 754 halves.
func half(v float32) uint16 {
	switch v {
	case 1:
		return 0x3c00
	case 8:
		return 0x4800
	}
	return 0
}

func writeJSON(dir, name string, document any) error {
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(filepath.Join(dir, name), append(text, '\n'), 0o644)
}
