package lang

import (
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/loadoutdev/loadout/engine"
)

// Diagnose turns problems into diagnostics with the range of the value at
// fault. A problem without a place in a file names what is known in its detail.
func (l *Loaded) Diagnose(ps []engine.Problem) hcl.Diagnostics {
	diags := make(hcl.Diagnostics, 0, len(ps))
	for _, p := range ps {
		d := &hcl.Diagnostic{
			Severity: hcl.DiagError, Extra: code(p.Code),
			Summary: redact(p.Summary, l.Sensitive), Detail: redact(p.Detail, l.Sensitive),
		}
		if p.Severity == engine.SeverityWarning {
			d.Severity = hcl.DiagWarning
		}
		d.Subject = rangeOfOrigin(p.Origin)
		if d.Subject == nil {
			d.Detail = strings.TrimSpace(d.Detail + " " + whereabouts(p))
		}
		diags = append(diags, d)
	}
	return diags
}

// code is the stable name of a problem, for programs that read diagnostics.
type code string

func (c code) Code() string { return string(c) }

// whereabouts says what is known of a place that is no range.
func whereabouts(p engine.Problem) string {
	var parts []string
	if p.Model != "" {
		parts = append(parts, "model \""+p.Model+"\"")
	}
	if p.Origin.File != "" {
		parts = append(parts, p.Origin.File)
	}
	if len(parts) == 0 {
		return ""
	}
	return "(" + strings.Join(parts, ", ") + ")"
}
