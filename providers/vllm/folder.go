package vllm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/loadoutdev/loadout/engine"
)

const (
	indexFile = "model.safetensors.index.json"
	maxIndex  = 64 << 20 // bytes; the indexes of the largest published models have some 10 MB
)

// modelFolder is a folder of weights on disk, and what the server is told about
// how to read it.
type modelFolder struct {
	path  string
	flags map[string]engine.Value // by field path
}

// check looks at names, sizes and headers; weights are not read.
func (m modelFolder) check() error {
	if !filepath.IsAbs(m.path) {
		return nil
	}
	info, err := os.Stat(m.path)
	if err != nil {
		return there(m.path, err)
	}
	if !info.IsDir() {
		return nil // one file, such as a GGUF
	}
	if err := m.checkConfig(); err != nil {
		return err
	}
	switch plain(m.flags["args.load_format"]) {
	case "null", "auto", "hf", "safetensors":
		return m.checkShards()
	}
	return nil
}

// checkConfig wants one of the two files that vLLM can make a model from.
func (m modelFolder) checkConfig() error {
	if m.flags["args.hf_config_path"] != nil {
		return nil
	}
	_, err := os.Stat(filepath.Join(m.path, "config.json"))
	if errors.Is(err, fs.ErrNotExist) {
		if _, mistral := os.Stat(filepath.Join(m.path, "params.json")); mistral == nil {
			return nil
		}
	}
	return there(filepath.Join(m.path, "config.json"), err)
}

func (m modelFolder) checkShards() error {
	names, err := m.shards()
	if err != nil {
		return err
	}
	for _, name := range names {
		path := filepath.Join(m.path, name)
		if err := checkShard(path); err != nil {
			return err
		}
	}
	return nil
}

// shards are the files that the index names; without one, all that are there.
func (m modelFolder) shards() ([]string, error) {
	path := filepath.Join(m.path, indexFile)
	raw, err := readBounded(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m.present()
	}
	if err != nil {
		return nil, err
	}
	var index struct {
		Files map[string]string `json:"weight_map"`
	}
	if isPointer(raw) {
		return nil, pointer(path)
	}
	if err := json.Unmarshal(raw, &index); err != nil {
		return nil, &damagedError{path, "is no JSON"}
	}
	names := slices.Compact(slices.Sorted(maps.Values(index.Files)))
	for _, name := range names {
		if !filepath.IsLocal(name) {
			return nil, &damagedError{path, fmt.Sprintf("names the file %q outside of the folder", name)}
		}
	}
	return names, nil
}

func (m modelFolder) present() ([]string, error) {
	entries, err := os.ReadDir(m.path)
	if err != nil {
		return nil, there(m.path, err)
	}
	var names []string
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".safetensors" {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, there(path, err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxIndex+1))
	if err != nil {
		return nil, there(path, err)
	}
	if len(raw) > maxIndex {
		return nil, &damagedError{path, fmt.Sprintf("has more than %d bytes", maxIndex)}
	}
	return raw, nil
}

// there says of a file that cannot be looked at why; nil when it could.
func there(path string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return &missingError{path}
	}
	return fmt.Errorf("%s cannot be read: %w", path, err)
}

// missingError is a file or folder that is not there.
type missingError struct{ path string }

func (e *missingError) Error() string { return e.path + " does not exist" }

func (*missingError) Is(target error) bool { return target == fs.ErrNotExist }

// damagedError is a file that is there and cannot be used.
type damagedError struct{ path, says string }

func (e *damagedError) Error() string { return e.path + " " + e.says }

// isPointer: the file stands in for a large one that Git LFS has not fetched
// (git-lfs, docs/spec.md).
func isPointer(head []byte) bool {
	return bytes.HasPrefix(head, []byte("version https://git-lfs.github.com/spec/"))
}

func pointer(path string) error {
	return &damagedError{path, `is only a Git LFS pointer: run "git lfs pull" in its folder`}
}
