package view

import (
	"fmt"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// outline shows what a new model is in a few lines; with Full every field.
func (p *planPage) outline(c *engine.Change) {
	if p.o.Full {
		p.fields(c)
		return
	}
	told := newOutline(p, c)
	rows := [][]cell{{text("backend"), text(p.place(c))}}
	rows = append(rows, told.rows...)
	p.table("    ", 5, rows)
	if left := len(c.Fields) - told.used; left > 0 {
		p.line("    ", p.paint(faint, Count(left, "further field")+" (--full shows all)"))
	}
}

// outlined collects the fields of a new model that a reviewer wants at a glance.
type outlined struct {
	p      *planPage
	values map[string]engine.Value
	rows   [][]cell
	used   int // fields that the rows show
}

func newOutline(p *planPage, c *engine.Change) *outlined {
	o := &outlined{p: p, values: make(map[string]engine.Value, len(c.Fields))}
	for i := range c.Fields {
		o.values[c.Fields[i].Path] = c.Fields[i].After
	}
	for _, path := range []string{"backend", "port", "gpus"} {
		o.take(path)
	}
	o.artifact()
	o.settings(c, "args")
	o.list("extra_args")
	o.settings(c, "env")
	o.settings(c, "generation")
	o.template(c)
	o.list("aliases")
	o.settings(c, "roles")
	return o
}

func (o *outlined) take(path string) engine.Value {
	v, ok := o.values[path]
	if ok {
		o.used++
	}
	return v
}

func (o *outlined) row(name, value string) {
	if value != "" {
		o.rows = append(o.rows, []cell{text(name), text(value)})
	}
}

// artifact: source, revision unless the source names it, size of the weights.
func (o *outlined) artifact() {
	source, _ := o.take("source").(string)
	revision, _ := o.take("facts.revision").(string)
	value := o.p.clean(source)
	if revision != "" && !strings.Contains(source, "@") {
		value += "@" + o.p.clean(shortRevision(revision))
	}
	if n, ok := o.take("facts.weight_bytes").(int64); ok {
		value += "  " + size(n)
	} else if source != "" {
		value += "  size not known"
	}
	o.row("artifact", value)
}

// shortRevision is enough of a commit or digest to compare by eye.
func shortRevision(revision string) string {
	revision = strings.TrimPrefix(revision, "sha256:")
	return revision[:min(7, len(revision))]
}

// settings joins the leaves of an object attribute: "max_model_len 448, …".
func (o *outlined) settings(c *engine.Change, root string) {
	var parts []string
	for i := range c.Fields {
		f := &c.Fields[i]
		if engine.Root(f.Path) != root || f.After == nil {
			continue
		}
		o.used++
		name := strings.TrimPrefix(strings.TrimPrefix(f.Path, root), ".")
		parts = append(parts, strings.TrimSpace(o.p.clean(name)+" "+o.p.brief(f.After, valueMost)))
	}
	o.row(root, strings.Join(parts, ", "))
}

func (o *outlined) list(path string) {
	if v := o.take(path); v != nil {
		o.row(path, o.p.command(words(v)))
	}
}

func (o *outlined) template(c *engine.Change) {
	t, ok := o.take("chat_template").(string)
	if !ok {
		return
	}
	value := fmt.Sprintf("template of %s", Count(len(lines(t)), "line"))
	for i := range c.Fields {
		if c.Fields[i].Path == "chat_template" {
			value += ", " + o.p.from(c.Fields[i].Origin)
		}
	}
	o.row("chat_template", value)
}
