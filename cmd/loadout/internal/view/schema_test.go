package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/loadoutdev/loadout/engine"
)

// The schema is the documentation of the plan's JSON, so it must name every
// field that is written and only fields of the right kind.
func TestPlanJSONFollowsItsSchema(t *testing.T) {
	raw, err := os.ReadFile("schema/plan.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	diags, files := mistakes(t)
	for _, c := range planCases() {
		c.plan.Inputs = []engine.Input{{Path: "models.hcl", SHA256: "ab"}}
		var b bytes.Buffer
		if err := PlanJSON(&b, c.plan, diags, files); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "canary") {
			t.Errorf("%s: the JSON shows a secret", c.name)
		}
		var doc any
		if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
			t.Fatal(err)
		}
		for _, e := range (validator{schema}).check(schema, doc, c.name) {
			t.Error(e)
		}
	}
}

func TestPlanJSONGolden(t *testing.T) {
	for _, c := range planCases() {
		if c.name != "plan_kinds" && c.name != "plan_main" && c.name != "plan_empty" {
			continue
		}
		var b bytes.Buffer
		if err := PlanJSON(&b, c.plan, nil, nil); err != nil {
			t.Fatal(err)
		}
		golden(t, c.name+".json", b.Bytes())
	}
}

// What --json prints can be read back as the plan that it is.
func TestPlanJSONDecodes(t *testing.T) {
	var b bytes.Buffer
	if err := PlanJSON(&b, planOf(2, restart(), arguments70()), nil, nil); err != nil {
		t.Fatal(err)
	}
	var p engine.Plan
	if err := json.Unmarshal(b.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if len(p.Changes) != 2 || p.Changes[0].Model != restart().Model || p.Summary.None != 2 {
		t.Errorf("read back: %+v", p)
	}
}

// validator knows as much of JSON Schema as plan.schema.json uses, and is
// stricter in one point: properties that the schema does not name are errors.
type validator struct{ root map[string]any }

func (v validator) check(schema map[string]any, doc any, at string) []string {
	if ref, ok := schema["$ref"].(string); ok {
		defs, _ := v.root["$defs"].(map[string]any)
		target, ok := defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		if !ok {
			return []string{"schema: no " + ref}
		}
		return v.check(target, doc, at)
	}
	if enum, ok := schema["enum"].([]any); ok && !slices.Contains(enum, doc) {
		return []string{fmt.Sprintf("%s: %v is not one of %v", at, doc, enum)}
	}
	if want, ok := schema["type"].(string); ok && want != kind(doc, want) {
		return []string{fmt.Sprintf("%s: %v is not a %s", at, doc, want)}
	}
	switch doc := doc.(type) {
	case []any:
		return v.items(schema, doc, at)
	case map[string]any:
		return v.properties(schema, doc, at)
	}
	return nil
}

func (v validator) items(schema map[string]any, doc []any, at string) (errs []string) {
	items, ok := schema["items"].(map[string]any)
	for i := range doc {
		if ok {
			errs = append(errs, v.check(items, doc[i], fmt.Sprintf("%s[%d]", at, i))...)
		}
	}
	return errs
}

func (v validator) properties(schema, doc map[string]any, at string) (errs []string) {
	known, ok := schema["properties"].(map[string]any)
	if !ok { // any value
		return nil
	}
	required, _ := schema["required"].([]any)
	for _, r := range required {
		if _, there := doc[r.(string)]; !there {
			errs = append(errs, fmt.Sprintf("%s: lacks %v", at, r))
		}
	}
	for _, k := range sortedKeys(doc) {
		sub, named := known[k].(map[string]any)
		if !named {
			errs = append(errs, at+"."+k+" is not in the schema")
			continue
		}
		errs = append(errs, v.check(sub, doc[k], at+"."+k)...)
	}
	return errs
}

func kind(doc any, want string) string {
	switch doc := doc.(type) {
	case string:
		return "string"
	case bool:
		return "boolean"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case float64:
		if want == "integer" && doc == float64(int64(doc)) {
			return want
		}
		return "number"
	}
	return "null"
}
