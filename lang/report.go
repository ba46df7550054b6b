package lang

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/loadoutdev/loadout/engine"
)

// errorAt is an error with its place. The summary is one line that names the
// thing; the detail says what to do.
func errorAt(at hcl.Range, summary, detail string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...), Subject: &at}
}

// didYouMean is " Did you mean x?" for the nearest of names, or nothing when
// none is near enough to be a slip of the fingers.
func didYouMean(given string, names []string) string {
	if near := engine.Nearest(given, names); near != "" {
		return fmt.Sprintf(" Did you mean %q?", near)
	}
	return ""
}

// quoted lists names for a sentence; long lists are cut.
func quoted(names []string) string {
	const most = 12
	parts := make([]string, 0, min(len(names), most)+1)
	for i, n := range names {
		if i == most {
			parts = append(parts, fmt.Sprintf("… (%d in all)", len(names)))
			break
		}
		parts = append(parts, strconv.Quote(n))
	}
	return strings.Join(parts, ", ")
}

// sentence gives a message of Go the form of a sentence.
func sentence(msg string) string {
	if msg == "" {
		return ""
	}
	msg = capital(msg)
	if !strings.HasSuffix(msg, ".") && !strings.HasSuffix(msg, "?") {
		msg += "."
	}
	return msg
}

// capital makes the first letter of a sentence a capital one. What starts with
// the name of a field keeps it.
func capital(msg string) string {
	first, _, _ := strings.Cut(msg, " ")
	if _, isField := engine.LookupAttribute(engine.Root(first)); isField || msg == "" {
		return msg
	}
	return strings.ToUpper(msg[:1]) + msg[1:]
}

// place is file:line of a range.
func place(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }

// plainPathError says "x: no such file or directory" without the system call.
func plainPathError(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("%s: %w", pe.Path, pe.Err)
	}
	return err
}

// tidy sorts diagnostics by place, drops repetitions (one expression is
// evaluated for many models) and takes out everything that could show a
// sensitive value.
func tidy(diags hcl.Diagnostics, secrets []string) hcl.Diagnostics {
	slices.SortStableFunc(diags, func(a, b *hcl.Diagnostic) int {
		return cmp.Or(compareRanges(a.Subject, b.Subject), strings.Compare(a.Summary, b.Summary))
	})
	out := diags[:0]
	for _, d := range diags {
		if n := len(out); n > 0 && out[n-1].Summary == d.Summary && d.Subject != nil && compareRanges(out[n-1].Subject, d.Subject) == 0 {
			continue
		}
		d.Expression, d.EvalContext = nil, nil
		d.Summary, d.Detail = redact(d.Summary, secrets), redact(d.Detail, secrets)
		out = append(out, d)
	}
	return out
}

func compareRanges(a, b *hcl.Range) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return cmp.Or(strings.Compare(a.Filename, b.Filename),
		cmp.Compare(a.Start.Byte, b.Start.Byte), cmp.Compare(a.End.Byte, b.End.Byte))
}

// redact takes sensitive texts out of a message. Shorter ones are part of so
// many words that taking them out would show them.
func redact(text string, secrets []string) string {
	const shortest = 4
	for _, s := range secrets {
		if len(s) < shortest {
			continue
		}
		text = strings.ReplaceAll(text, s, "(sensitive)")
	}
	return text
}
