package lang

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

var errNotText = errors.New("is not text in UTF-8")

// fileFunctions read files and work on paths. A relative path starts at base.
func (s *scope) fileFunctions(base string, pure map[string]function.Function) map[string]function.Function {
	resolve := func(p string) string { return resolvePath(p, base, s.home) }
	return map[string]function.Function{
		"abspath":    textFunc("path", func(p string) (string, error) { return resolve(p), nil }),
		"basename":   textFunc("path", func(p string) (string, error) { return filepath.Base(p), nil }),
		"dirname":    textFunc("path", func(p string) (string, error) { return filepath.Dir(p), nil }),
		"pathexpand": textFunc("path", func(p string) (string, error) { return expandHome(p, s.home), nil }),
		"file":       textFunc("path", func(p string) (string, error) { return s.files.text(resolve(p)) }),
		"filesha256": textFunc("path", func(p string) (string, error) { return s.files.digest(resolve(p)) }),
		"fileexists": existsFunc(resolve),
		"fileset":    filesetFunc(resolve),
		"templatefile": templateFunc(func(p string) (hcl.Expression, error) {
			text, err := s.files.text(resolve(p))
			if err != nil {
				return nil, err
			}
			expr, diags := hclsyntax.ParseTemplate([]byte(text), s.files.relative(resolve(p)), hcl.InitialPos)
			if diags.HasErrors() {
				return nil, templateError(diags)
			}
			return expr, nil
		}, pure),
	}
}

func existsFunc(resolve func(string) string) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			info, err := os.Stat(resolve(args[0].AsString()))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return cty.NilVal, function.NewArgError(0, plainPathError(err))
			}
			return cty.BoolVal(err == nil && info.Mode().IsRegular()), nil
		},
	})
}

// filesetFunc lists the files in a directory that match a pattern of path.Match.
func filesetFunc(resolve func(string) string) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "directory", Type: cty.String}, {Name: "pattern", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Set(cty.String)),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			dir := resolve(args[0].AsString())
			names, err := fs.Glob(os.DirFS(dir), args[1].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgErrorf(1, "is not a pattern: %s", args[1].AsString())
			}
			var files []cty.Value
			for _, name := range names {
				if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode().IsRegular() {
					files = append(files, cty.StringVal(filepath.ToSlash(name)))
				}
			}
			if len(files) == 0 {
				return cty.SetValEmpty(cty.String), nil
			}
			return cty.SetVal(files), nil
		},
	})
}

// templateFunc renders a file with the given variables. A template may call the
// pure functions, not read further files.
func templateFunc(parse func(string) (hcl.Expression, error), pure map[string]function.Function) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}, {Name: "vars", Type: cty.DynamicPseudoType}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			expr, err := parse(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			vars := args[1]
			if !vars.Type().IsObjectType() && !vars.Type().IsMapType() {
				return cty.NilVal, function.NewArgErrorf(1, "must be an object with the variables of the template")
			}
			ctx := &hcl.EvalContext{Variables: vars.AsValueMap(), Functions: pure}
			for _, t := range expr.Variables() {
				if _, ok := ctx.Variables[t.RootName()]; !ok {
					return cty.NilVal, function.NewArgErrorf(1, "has no %q, which the template uses at %s", t.RootName(), place(t.SourceRange()))
				}
			}
			value, diags := expr.Value(ctx)
			if diags.HasErrors() {
				return cty.NilVal, function.NewArgError(0, templateError(diags))
			}
			return toText(value)
		},
	})
}

func toText(v cty.Value) (cty.Value, error) {
	if v.IsNull() || v.Type() != cty.String {
		return cty.NilVal, function.NewArgErrorf(0, "does not render to text")
	}
	return v, nil
}

func templateError(diags hcl.Diagnostics) error {
	d := diags[slices.IndexFunc(diags, func(d *hcl.Diagnostic) bool { return d.Severity == hcl.DiagError })]
	if d.Subject == nil {
		return fmt.Errorf("%s: %s", d.Summary, d.Detail)
	}
	return fmt.Errorf("%s: %s: %s", place(*d.Subject), d.Summary, strings.TrimSuffix(d.Detail, "."))
}
