package lang

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"golang.org/x/sync/errgroup"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/plainfile"
)

// source is one parsed file.
type source struct {
	name string // relative to the configuration directory
	base string // absolute directory of the file: where its paths start
	file *hcl.File
}

// fileSet reads files for one Load and remembers their digests. It is safe for
// concurrent use.
type fileSet struct {
	dir string // absolute

	mu     sync.Mutex
	parsed map[string]*hcl.File
	inputs map[string]string // name → SHA-256
	texts  map[string]string // path → bytes of the files that values were read from
}

func newFileSet(dir string) *fileSet {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return &fileSet{dir: dir, parsed: map[string]*hcl.File{}, inputs: map[string]string{}, texts: map[string]string{}}
}

// Parse parses one file; a name that ends in .json is in JSON syntax. With
// errors the file holds what could be understood, and the bytes for snippets.
func Parse(name string, src []byte) (*hcl.File, hcl.Diagnostics) {
	if d := tooDeep(name, src); d != nil {
		return &hcl.File{Body: hcl.EmptyBody(), Bytes: src}, hcl.Diagnostics{d}
	}
	if strings.HasSuffix(name, ".json") {
		file, diags := hcljson.Parse(src, name)
		if file == nil {
			file = &hcl.File{Body: hcl.EmptyBody(), Bytes: src}
		}
		return file, diags
	}
	return hclsyntax.ParseConfig(src, name, hcl.InitialPos)
}

// The parser calls itself for each bracket and each prefix or choice operator,
// and the stack of a process is finite; no real file comes near these bounds.
const (
	maxDepth     = 5_000  // open brackets
	maxOperators = 50_000 // of ! - ? on one line
)

// tooDeep counts wherever the characters stand, also in texts.
func tooDeep(name string, src []byte) *hcl.Diagnostic {
	depth, operators, line := 0, 0, 1
	for _, c := range src {
		switch c {
		case '\n':
			line++
			operators = 0
		case '!', '-', '?':
			operators++
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		}
		if depth > maxDepth || operators > maxOperators {
			pos := hcl.Pos{Line: line, Column: 1}
			return errorAt(hcl.Range{Filename: name, Start: pos, End: pos}, "too deeply nested",
				"There are more than %d open brackets, or more than %d operators on this line.", maxDepth, maxOperators)
		}
	}
	return nil
}

// parse reads and parses the named files in parallel. The order of the result
// is the order of the names; files that could not be read are left out.
func (s *fileSet) parse(names []string) ([]*source, hcl.Diagnostics) {
	sources := make([]*source, len(names))
	problems := make([]hcl.Diagnostics, len(names))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range names {
		group.Go(func() error {
			defer func() {
				if r := recover(); r != nil {
					problems[i] = hcl.Diagnostics{failed("loadout crashed while it read "+name, fmt.Sprintf("This is a bug: %v", r))}
				}
			}()
			sources[i], problems[i] = s.parseOne(name)
			return nil
		})
	}
	_ = group.Wait() // no function returns an error: they are diagnostics
	return slices.DeleteFunc(sources, func(s *source) bool { return s == nil }), slices.Concat(problems...)
}

func (s *fileSet) parseOne(name string) (*source, hcl.Diagnostics) {
	src, diags := s.parseValues(name)
	if src != nil {
		s.mu.Lock()
		s.parsed[name] = src.file
		s.mu.Unlock()
	}
	return src, diags
}

// parseValues parses one file without keeping its text for snippets: which line
// of a file of values holds a secret is not known before it is understood.
func (s *fileSet) parseValues(name string) (*source, hcl.Diagnostics) {
	path := resolvePath(filepath.FromSlash(name), s.dir, "")
	src, err := s.read(path)
	if err != nil {
		return nil, hcl.Diagnostics{failure("cannot read "+name, err)}
	}
	file, diags := Parse(name, src)
	return &source{name: name, base: filepath.Dir(path), file: file}, diags
}

// read returns the bytes of a file and records its digest as an input.
func (s *fileSet) read(path string) ([]byte, error) {
	src, err := plainfile.Read(path, plainfile.MaxText)
	if err != nil {
		return nil, plainPathError(err)
	}
	sum := sha256.Sum256(src)
	s.record(path, hex.EncodeToString(sum[:]))
	return src, nil
}

// text is the content of a file that an expression reads. It is read once. It
// belongs to the evaluation, which is no concurrent work.
func (s *fileSet) text(path string) (string, error) {
	if text, ok := s.texts[path]; ok {
		return text, nil
	}
	src, err := s.read(path)
	if err != nil {
		return "", fmt.Errorf("names a file that cannot be read: %w", err)
	}
	if !utf8.Valid(src) {
		return "", fmt.Errorf("names a file that is not text in UTF-8: %s", path)
	}
	s.texts[path] = string(src)
	return s.texts[path], nil
}

// digest is the SHA-256 of a file of any size, recorded as an input.
func (s *fileSet) digest(path string) (string, error) {
	f, err := plainfile.Open(path)
	if err != nil {
		return "", plainPathError(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	sum := hex.EncodeToString(h.Sum(nil))
	s.record(path, sum)
	return sum, nil
}

func (s *fileSet) record(path, sum string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inputs[s.relative(path)] = sum
}

// relative names a file from the configuration directory; a file outside keeps
// its absolute path.
func (s *fileSet) relative(path string) string {
	rel, err := filepath.Rel(s.dir, path)
	if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		return path
	}
	return filepath.ToSlash(rel)
}

func (s *fileSet) sortedInputs() []engine.Input {
	inputs := make([]engine.Input, 0, len(s.inputs))
	for _, path := range slices.Sorted(maps.Keys(s.inputs)) {
		inputs = append(inputs, engine.Input{Path: path, SHA256: s.inputs[path]})
	}
	return inputs
}
