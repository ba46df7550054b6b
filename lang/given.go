package lang

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// environPrefix starts the environment variables that give values.
const environPrefix = "LOADOUT_VAR_"

// givenValues collects the values from outside, later sources over earlier
// ones: environment, loadout.hclvars, *.auto.hclvars by name, command line.
func (l *loader) givenValues(declared map[string]*variable) map[string]*given {
	values := map[string]*given{}
	for _, kv := range l.opt.Environ {
		name, text, _ := strings.Cut(kv, "=")
		name, ok := strings.CutPrefix(name, environPrefix)
		if v := declared[name]; ok && v != nil {
			l.give(values, v, text, environPrefix+name)
		}
	}
	for _, name := range l.values {
		l.giveFile(values, declared, name)
	}
	for _, arg := range l.opt.Values {
		if arg.File != "" {
			l.giveFile(values, declared, arg.File)
			continue
		}
		l.giveArgument(values, declared, arg.Assign)
	}
	return values
}

func (l *loader) giveArgument(values map[string]*given, declared map[string]*variable, assign string) {
	name, text, ok := strings.Cut(assign, "=")
	name = strings.TrimSpace(name)
	switch v := declared[name]; {
	case !ok:
		l.add(failed("--var needs a name and a value", "Write --var "+name+"=VALUE."))
	case v == nil:
		l.add(failed("--var gives an undeclared variable \""+name+"\"", undeclared(name, declared)))
	default:
		l.give(values, v, text, "--var "+name)
	}
}

// give takes a value that is text: a string as it stands, anything else as an
// expression of the language.
func (l *loader) give(values map[string]*given, v *variable, text, from string) {
	if v.typ == cty.String || v.typ == cty.DynamicPseudoType {
		values[v.labels[0]] = &given{value: cty.StringVal(text), from: from}
		return
	}
	expr, diags := hclsyntax.ParseExpression([]byte(text), from, hcl.InitialPos)
	value := cty.DynamicVal
	if !diags.HasErrors() {
		var more hcl.Diagnostics
		value, more = expr.Value(nil)
		diags = append(diags, more...)
	}
	if diags.HasErrors() {
		if v.sensitive {
			l.scope.secrets.add(text)
		}
		detail := "The variable is of type " + v.typ.FriendlyName() + ", and the value cannot be read as an expression of the language."
		if !v.sensitive {
			detail += " " + diags[0].Summary + ": " + diags[0].Detail
		}
		l.add(failed("wrong value in "+from, detail))
	}
	values[v.labels[0]] = &given{value: value, from: from}
}

func (l *loader) giveFile(values map[string]*given, declared map[string]*variable, name string) {
	src, diags := l.files.parseValues(l.files.relative(resolvePath(name, l.files.dir, l.home)))
	if strings.HasSuffix(name, ".json") {
		diags = withoutText(diags)
	}
	l.add(diags...)
	if diags.HasErrors() {
		return
	}
	attrs, diags := src.file.Body.JustAttributes()
	l.add(diags...)
	for _, key := range slices.Sorted(maps.Keys(attrs)) {
		a := attrs[key]
		v := declared[key]
		if v == nil {
			l.add(errorAt(a.NameRange, "undeclared variable \""+key+"\"", "%s", undeclared(key, declared)))
			continue
		}
		value, diags := a.Expr.Value(nil)
		if v.sensitive {
			l.scope.secrets.addAll(value)
		}
		l.add(diags...)
		values[key] = &given{value: value, from: "the value in " + filepath.ToSlash(name), at: &a.Range}
	}
}

// withoutText keeps the place of what is wrong with the JSON of a file of values
// and drops the explanation, which may quote a secret that stands there.
func withoutText(diags hcl.Diagnostics) hcl.Diagnostics {
	for _, d := range diags {
		if d.Subject != nil {
			d.Summary, d.Detail = "not valid JSON", "The line is not shown, because it may hold a secret."
		}
	}
	return diags
}

func undeclared(name string, declared map[string]*variable) string {
	names := slices.Sorted(maps.Keys(declared))
	if guess := didYouMean(name, names); guess != "" {
		return "No variable block declares it." + guess
	}
	if len(names) == 0 {
		return "No file declares a variable."
	}
	return "No variable block declares it. Declared are: " + quoted(names) + "."
}
