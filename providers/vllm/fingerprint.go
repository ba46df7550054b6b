package vllm

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// fingerprint identifies the files of a model by name, size, time and inode,
// without reading them. It is empty for what is no path, or cannot be looked at.
func fingerprint(model string) string {
	if !filepath.IsAbs(model) {
		return ""
	}
	h := sha256.New()
	err := filepath.WalkDir(model, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path != model && strings.HasPrefix(d.Name(), ".") { // .git, .cache: no part of the model
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		info, err := os.Stat(path) // a snapshot of the Hugging Face cache consists of links
		if err != nil {
			return err
		}
		if info.IsDir() {
			return nil
		}
		name, err := filepath.Rel(model, path)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(h, "%d %d %d %s\n", info.Size(), info.ModTime().UnixNano(), inode(info), filepath.ToSlash(name))
		return err
	})
	if err != nil {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}

func inode(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Ino
	}
	return 0
}
