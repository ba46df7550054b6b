package view

import (
	"bytes"
	"io"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcled"
)

// Coded is implemented by the Extra of a diagnostic that has a stable code for
// programs, such as unknown_argument.
type Coded interface{ Code() string }

// Diagnostic is the JSON form of one mistake or warning.
type Diagnostic struct {
	Severity string `json:"severity"` // error or warning
	Code     string `json:"code"`
	Summary  string `json:"summary"`
	Detail   string `json:"detail,omitempty"`
	Range    *Range `json:"range,omitempty"`
	Context  string `json:"context,omitempty"` // the block that it is in: model "qwen"
	Snippet  string `json:"snippet,omitempty"` // the lines of the range, whole
}

// Range of a file. Lines and columns count from 1, columns in characters; bytes
// from 0.
type Range struct {
	Filename string   `json:"filename"`
	Start    Position `json:"start"`
	End      Position `json:"end"`
}

// Position in a file.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

func describe(diags hcl.Diagnostics, files map[string]*hcl.File) []Diagnostic {
	out := make([]Diagnostic, len(diags))
	for i, d := range diags {
		out[i] = describeOne(d, files)
	}
	return out
}

func describeOne(d *hcl.Diagnostic, files map[string]*hcl.File) Diagnostic {
	out := Diagnostic{Severity: severity(d), Summary: d.Summary, Detail: d.Detail}
	if first, rest, several := strings.Cut(d.Summary, "\n"); several { // joined errors
		out.Summary, out.Detail = first, strings.TrimRight(rest+"\n"+d.Detail, "\n")
	}
	out.Code = codeOf(d)
	if d.Subject == nil {
		return out
	}
	out.Range = &Range{d.Subject.Filename, Position(d.Subject.Start), Position(d.Subject.End)}
	if f := files[d.Subject.Filename]; f != nil && d.Subject.Start.Line > 0 {
		out.Context = hcled.ContextString(f, d.Subject.Start.Byte)
		out.Snippet = strings.Join(snippet(f.Bytes, d.Subject), "\n")
	}
	return out
}

// codeOf is the code that the engine or a provider gave; a mistake that the
// language found is "configuration", what a command could not do "failed".
func codeOf(d *hcl.Diagnostic) string {
	if c, ok := hcl.DiagnosticExtra[Coded](d); ok {
		return c.Code()
	}
	if d.Subject != nil {
		return "configuration"
	}
	return "failed"
}

func severity(d *hcl.Diagnostic) string {
	if d.Severity == hcl.DiagWarning {
		return "warning"
	}
	return "error"
}

// snippetMost is how many lines of a long range are shown.
const snippetMost = 4

// snippet cuts the lines of a range out of a file. It starts from the byte of the
// range, so that many diagnostics of one large file do not read it many times.
func snippet(src []byte, r *hcl.Range) []string {
	at := min(r.Start.Byte, len(src))
	rest := src[bytes.LastIndexByte(src[:at], '\n')+1:]
	n := min(max(r.End.Line-r.Start.Line+1, 1), snippetMost)
	if r.End.Column == 1 && n > 1 { // ends before the first character of its last line
		n--
	}
	out := make([]string, 0, n)
	for range n {
		line, after, more := bytes.Cut(rest, []byte("\n"))
		out = append(out, shorten(strings.TrimRight(string(line[:min(len(line), lineMost)]), "\r"), len(line) > lineMost))
		if rest = after; !more {
			break
		}
	}
	return out
}

// lineMost is how many bytes of a source line are shown.
const lineMost = 400

func shorten(line string, cut bool) string {
	if cut {
		return strings.ToValidUTF8(line, "") + "…"
	}
	return line
}

// DiagnosticsJSON writes {format_version, diagnostics}: what a command prints
// with --json when it ends with an error.
func DiagnosticsJSON(w io.Writer, diags hcl.Diagnostics, files map[string]*hcl.File) error {
	return JSON(w, struct {
		FormatVersion string       `json:"format_version"`
		Diagnostics   []Diagnostic `json:"diagnostics"`
	}{FormatVersion, describe(diags, files)})
}
