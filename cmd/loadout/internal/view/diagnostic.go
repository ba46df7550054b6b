package view

import (
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

// snippet cuts the lines of a range out of a file.
func snippet(src []byte, r *hcl.Range) []string {
	all := strings.Split(string(src), "\n")
	first := min(r.Start.Line-1, len(all))
	last := min(max(r.End.Line, r.Start.Line), first+snippetMost, len(all))
	if r.End.Column == 1 && last > first+1 { // ends before the first character of its last line
		last--
	}
	out := make([]string, 0, snippetMost)
	for _, l := range all[first:last] {
		out = append(out, strings.TrimRight(l, "\r"))
	}
	return out
}

// DiagnosticsJSON writes {format_version, diagnostics}: what a command prints
// with --json when it ends with an error.
func DiagnosticsJSON(w io.Writer, diags hcl.Diagnostics, files map[string]*hcl.File) error {
	return JSON(w, struct {
		FormatVersion string       `json:"format_version"`
		Diagnostics   []Diagnostic `json:"diagnostics"`
	}{FormatVersion, describe(diags, files)})
}
