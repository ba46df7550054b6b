package apply

import (
	"strings"
	"testing"

	"github.com/loadoutdev/loadout/engine"
)

func TestLanes(t *testing.T) {
	launch := func(port int, gpus ...string) *engine.Launch {
		return &engine.Launch{Argv: []string{"serve"}, Port: port, GPUs: gpus}
	}
	service := func(url string) *engine.Launch { return &engine.Launch{URL: url, Model: "m"} }
	runs := func(l *engine.Launch) *engine.Instance {
		if l == nil {
			return nil
		}
		return &engine.Instance{Launch: *l, LaunchDigest: "was"}
	}
	change := func(name string, a engine.Action, start, running *engine.Launch) engine.Change {
		return engine.Change{Model: name, Action: a, Start: start, Running: runs(running)}
	}
	const (
		create, restart = engine.ActionCreate, engine.ActionRestart
		stop, update    = engine.ActionStop, engine.ActionUpdate
	)
	tests := map[string]struct {
		changes []engine.Change
		want    string // units by comma, members by plus, lanes by bar
	}{
		"nothing":             {nil, ""},
		"a lane for each GPU": {[]engine.Change{change("a", create, launch(1, "0"), nil), change("b", create, launch(2, "1"), nil)}, "a | b"},
		"one GPU":             {[]engine.Change{change("a", create, launch(1, "0"), nil), change("b", create, launch(2, "0"), nil)}, "a, b"},
		"joined by a third": {[]engine.Change{change("a", create, launch(1, "0"), nil), change("b", create, launch(2, "1"), nil),
			change("c", create, launch(3, "0", "1"), nil)}, "a, b, c"},
		"one without GPUs joins all": {[]engine.Change{change("a", create, launch(1, "0"), nil), change("b", create, launch(2), nil),
			change("c", create, launch(3, "1"), nil)}, "a, b, c"},
		"a service is a lane": {[]engine.Change{change("a", create, service("http://x"), nil), change("b", create, launch(2), nil),
			change("c", create, service("http://x"), nil), change("d", create, service("http://y"), nil)}, "a, c | b | d"},
		"stops first": {[]engine.Change{change("a", create, launch(1, "0"), nil), change("b", stop, nil, launch(2, "0"))}, "b, a"},
		"the record alone waits for nobody": {[]engine.Change{change("a", create, launch(1, "0"), nil),
			change("b", update, nil, launch(2, "0"))}, "a | b"},
		"a reload belongs to its GPU": {[]engine.Change{change("a", create, launch(1, "0"), nil),
			change("b", update, launch(2, "0"), launch(2, "0"))}, "a, b"},
		"a port is given up before it is taken": {[]engine.Change{change("a", restart, launch(2, "0"), launch(1, "0")),
			change("b", restart, launch(3, "1"), launch(2, "1"))}, "b, a"},
		"two exchange ports": {[]engine.Change{change("a", restart, launch(2, "0"), launch(1, "0")),
			change("b", restart, launch(1, "1"), launch(2, "1"))}, "a+b"},
		"a ring of three and one that waits for it": {[]engine.Change{change("a", create, launch(1, "0"), nil),
			change("b", restart, launch(2, "0"), launch(1, "0")), change("c", restart, launch(3, "0"), launch(2, "0")),
			change("d", restart, launch(1, "0"), launch(3, "0"))}, "b+c+d, a"},
		"the same port": {[]engine.Change{change("a", restart, launch(1, "0"), launch(1, "0"))}, "a"},
		"label and UUID": {[]engine.Change{
			{Model: "a", Action: restart, GPUs: []string{"0"}, Start: launch(1, "GPU-f00"), Running: runs(launch(1, "0"))},
			{Model: "b", Action: stop, GPUs: []string{"0"}, Running: runs(launch(2, "0"))}}, "b, a"},
		"leftovers count": {[]engine.Change{{Model: "a", Action: update, Leftovers: []engine.Instance{*runs(launch(1, "0"))}},
			change("b", create, launch(2, "0"), nil)}, "a, b"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := spell(Lanes(tt.changes)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func spell(lanes []Lane) string {
	var out []string
	for _, l := range lanes {
		var units []string
		for _, u := range l {
			var names []string
			for _, c := range u {
				names = append(names, c.Model)
			}
			units = append(units, strings.Join(names, "+"))
		}
		out = append(out, strings.Join(units, ", "))
	}
	return strings.Join(out, " | ")
}
