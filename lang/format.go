package lang

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// Format brings a file of the native syntax into its canonical form: HCL's own
// layout, one line break at the end. Formatting twice changes nothing more.
// Bytes that cannot be parsed come back as they are.
func Format(src []byte) []byte {
	if _, diags := hclsyntax.ParseConfig(src, "", hcl.InitialPos); diags.HasErrors() {
		return src
	}
	// The layout of one pass can open room for another (a comment that moves);
	// it settles after two or three.
	const passes = 5
	for range passes {
		out := layout(src)
		if bytes.Equal(out, src) {
			break
		}
		src = out
	}
	return src
}

func layout(src []byte) []byte {
	out := bytes.TrimRight(hclwrite.Format(src), "\n")
	out = bytes.TrimLeft(out, "\n")
	if len(out) == 0 {
		return out
	}
	return append(out, '\n')
}
