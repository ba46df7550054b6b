package lang

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/loadoutdev/loadout/engine"
)

// isFlat are the object attributes whose values are single values.
var isFlat = map[string]bool{"capabilities": true, "env": true, "roles": true}

// settle checks a value that was given to a field and hands on the leaves that
// it consists of. The diagnostic, if any, has no place yet.
func (s *scope) settle(path string, attr *engine.Attribute, v engine.Value, src *source, leaf func(string, engine.Value)) *hcl.Diagnostic {
	if v == nil {
		leaf(path, nil)
		return nil
	}
	object, isObject := v.(map[string]any)
	if attr.Type == engine.TypeObject && path == attr.Name && !isObject {
		return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: path + " must be an object", Detail: "It is " + describe(v) + ". Write " + path + " = { key = value }."}
	}
	var problem *hcl.Diagnostic
	one := func(path string, v engine.Value) {
		checked, p := s.check(path, attr, v, src)
		if p != nil {
			problem = p
			return
		}
		leaf(path, checked)
	}
	switch {
	case attr.Type == engine.TypeObject && isObject && isFlat[attr.Name] && path == attr.Name && len(object) > 0:
		for key, value := range object {
			one(s.join(path, key), value)
		}
	case attr.Type == engine.TypeObject && isObject && !isFlat[attr.Name]:
		engine.Flatten(path, v, one)
	default:
		one(path, v)
	}
	return problem
}

// check brings one leaf into the form that its field asks for.
func (s *scope) check(path string, attr *engine.Attribute, v engine.Value, src *source) (engine.Value, *hcl.Diagnostic) {
	if v == nil {
		return nil, nil
	}
	if attr.Name != "env" && hasSecret(v) {
		return nil, refuseSecret(path, attr)
	}
	out, err := conformTo(leafType(path, attr), v)
	if attr.Name == "env" {
		out, err = envValue(path, v)
	}
	if err == nil {
		out, err = s.finishLeaf(attr, out, src)
	}
	if err != nil {
		return nil, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "wrong value for " + path, Detail: sentence(path + " " + err.Error())}
	}
	return out, nil
}

// leafType is the type of a leaf: of the attribute, or of the keys inside it.
func leafType(path string, attr *engine.Attribute) engine.Type {
	switch {
	case attr.Type != engine.TypeObject:
		return attr.Type
	case path == attr.Name: // the empty object
		return engine.TypeObject
	case attr.Name == "roles":
		return engine.TypeInt
	case attr.Name == "capabilities":
		return engine.TypeBool
	case attr.Name == "lifecycle":
		return engine.LifecycleKeys[strings.TrimPrefix(path, "lifecycle.")]
	}
	return engine.TypeObject
}

// envValue is a string or a secret: an environment holds nothing else.
func envValue(path string, v engine.Value) (engine.Value, error) {
	switch v := v.(type) {
	case bool:
		return engine.FormatValue(v), nil
	case map[string]any:
		if path == "env" {
			return v, nil
		}
	}
	return asString(v)
}

// finishLeaf makes what depends on the place of the file independent of it.
func (s *scope) finishLeaf(attr *engine.Attribute, v engine.Value, src *source) (engine.Value, error) {
	switch attr.Name {
	case "source":
		return absoluteSource(v.(string), src.base, s.home), nil
	case "chat_template":
		return s.templateText(v.(string), src.base)
	}
	return v, nil
}

// absoluteSource makes the path of a file:// source absolute, so that what is
// planned does not depend on where the command runs.
func absoluteSource(source, base, home string) string {
	path, ok := strings.CutPrefix(source, "file://")
	if !ok || path == "" {
		return source
	}
	return "file://" + resolvePath(path, base, home)
}

// templateText is the text of a chat template: given as such, or as a path.
func (s *scope) templateText(v, base string) (engine.Value, error) {
	if v == "" || strings.Contains(v, "{{") || strings.Contains(v, "{%") || strings.ContainsRune(v, '\n') {
		return v, nil
	}
	return s.files.text(resolvePath(v, base, s.home))
}

func hasSecret(v engine.Value) bool {
	switch v := v.(type) {
	case engine.Secret:
		return true
	case []any:
		return slices.ContainsFunc(v, hasSecret)
	case map[string]any:
		for _, e := range v {
			if hasSecret(e) {
				return true
			}
		}
	}
	return false
}

func refuseSecret(path string, attr *engine.Attribute) *hcl.Diagnostic {
	detail := "Sensitive values may be used in env only: everything else is shown in plans and kept in the snapshot."
	if attr.Name == "args" || attr.Name == "extra_args" {
		detail = "Everybody on the host can read the arguments of a process. Give it through env instead."
	}
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: path + " is sensitive", Detail: detail}
}
