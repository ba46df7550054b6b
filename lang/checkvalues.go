package lang

import (
	"github.com/zclconf/go-cty/cty"

	"github.com/loadoutdev/loadout/engine"
)

// modelList shows merged models to the expressions of check blocks.
func modelList(models []engine.Model) cty.Value {
	list := make([]cty.Value, len(models))
	for i := range models {
		list[i] = modelValue(&models[i])
	}
	return cty.TupleVal(list)
}

// modelValue has every attribute of every model, so that a condition need not
// ask whether it is there: text is "" and lists are empty when nothing is set.
func modelValue(m *engine.Model) cty.Value {
	roles := map[string]any{}
	for role, priority := range m.Roles {
		roles[role] = priority
	}
	capabilities := map[string]any{}
	for name, has := range m.Capabilities {
		capabilities[name] = has
	}
	return cty.ObjectVal(map[string]cty.Value{
		"name": cty.StringVal(m.Name), "served": cty.BoolVal(m.Served), "served_name": cty.StringVal(m.ServedName),
		"source": cty.StringVal(m.Source), "backend": cty.StringVal(m.Backend), "license": cty.StringVal(m.License),
		"aliases": stringList(m.Aliases), "gpus": stringList(m.GPUs), "extra_args": stringList(m.ExtraArgs),
		"host": cty.StringVal(m.Host), "port": cty.NumberIntVal(int64(m.Port)), "memory": cty.NumberIntVal(m.Memory),
		"testing": cty.BoolVal(m.Testing), "deprecated": cty.BoolVal(m.Deprecated),
		"roles": fromValue(roles), "capabilities": fromValue(capabilities),
		"args": fromValue(m.Args), "generation": fromValue(m.Generation),
		"lifecycle": cty.ObjectVal(map[string]cty.Value{
			"prevent_stop": cty.BoolVal(m.Lifecycle.PreventStop), "on_failure": cty.StringVal(string(m.Lifecycle.OnFailure)),
		}),
		"facts": factsValue(&m.Facts),
	})
}

func factsValue(f *engine.Facts) cty.Value {
	return cty.ObjectVal(map[string]cty.Value{
		"path": cty.StringVal(f.Path), "kind": cty.StringVal(f.Kind), "format": cty.StringVal(f.Format),
		"quantization": cty.StringVal(f.Quantization), "architecture": cty.StringVal(f.Architecture),
		"context_length": cty.NumberIntVal(f.ContextLength), "parameters": cty.NumberIntVal(f.Parameters),
		"weight_bytes": cty.NumberIntVal(f.WeightBytes), "license": cty.StringVal(f.License), "complete": cty.BoolVal(f.Complete),
	})
}

func stringList(list []string) cty.Value {
	if len(list) == 0 {
		return cty.ListValEmpty(cty.String)
	}
	values := make([]cty.Value, len(list))
	for i, s := range list {
		values[i] = cty.StringVal(s)
	}
	return cty.ListVal(values)
}

// fromValue turns what the engine holds into a value of the language. A secret
// is shown as its mark only.
func fromValue(v engine.Value) cty.Value {
	switch v := v.(type) {
	case nil:
		return cty.NullVal(cty.DynamicPseudoType)
	case bool:
		return cty.BoolVal(v)
	case int64:
		return cty.NumberIntVal(v)
	case float64:
		return cty.NumberFloatVal(v)
	case string:
		return cty.StringVal(v)
	case []any:
		values := make([]cty.Value, len(v))
		for i, e := range v {
			values[i] = fromValue(e)
		}
		return cty.TupleVal(values)
	case map[string]any:
		values := make(map[string]cty.Value, len(v))
		for k, e := range v {
			values[k] = fromValue(e)
		}
		return cty.ObjectVal(values)
	}
	return cty.StringVal(engine.FormatValue(v))
}
