package artifact

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/plainfile"
)

// ReadFile reads discovered.json. A missing file is nil without error: nothing
// has been discovered yet.
func ReadFile(path string) (*engine.Discovered, error) {
	data, err := plainfile.Read(path, plainfile.MaxRecord)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	var d engine.Discovered
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, fmt.Errorf("%s%s is not a document of facts: %w (move it away and run loadout discover to write it anew)",
			path, line(data, err), engine.PlainJSON(err))
	}
	if major(d.FormatVersion) != major(engine.FactsVersion) {
		return nil, fmt.Errorf("%s has format_version %q; this Loadout reads %s (run loadout discover to write it anew)",
			path, d.FormatVersion, engine.FactsVersion)
	}
	return &d, nil
}

func major(version string) string {
	m, _, _ := strings.Cut(version, ".")
	return m
}

// line says where in data a JSON error is, as ":12".
func line(data []byte, err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	offset := int64(len(data))
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	}
	return fmt.Sprintf(":%d", 1+bytes.Count(data[:min(offset, int64(len(data)))], []byte("\n")))
}

// WriteFile writes discovered.json in its canonical form: sorted, indented by
// two blanks, with a final newline. The file is replaced atomically, and not
// touched when it says the same already.
func WriteFile(path string, d *engine.Discovered) error {
	data, err := encode(d)
	if err != nil {
		return fmt.Errorf("write facts: %w", err)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // a link stays a link
	}
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return nil
	}
	if err := renameio.WriteFile(path, data, 0o644); err != nil {
		return fmt.Errorf("write facts: %w", err)
	}
	return nil
}

func encode(d *engine.Discovered) ([]byte, error) {
	doc := engine.Discovered{FormatVersion: engine.FactsVersion, Artifacts: slices.Clone(d.Artifacts)}
	if doc.Artifacts == nil {
		doc.Artifacts = []engine.Artifact{} // a list, not null
	}
	sortArtifacts(doc.Artifacts)
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(doc)
	return buf.Bytes(), err
}
