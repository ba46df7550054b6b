package process

import (
	"os"
	"testing"
)

func TestJudge(t *testing.T) {
	me := uint32(os.Geteuid())
	id := Identity{Pid: 100, StartTime: 50, BootID: "b", Token: "t"}
	leader := Proc{Pid: 100, Session: 100, Group: 100, Start: 50, UID: me}
	child := Proc{Pid: 101, Parent: 1, Session: 100, Group: 100, Start: 60, UID: me}
	tests := map[string]struct {
		boot  string
		procs []Proc
		token map[int]string
		want  Standing
	}{
		"leader":                      {"b", []Proc{leader, child}, map[int]string{100: "t"}, Running},
		"nothing":                     {"b", nil, nil, Gone},
		"reboot":                      {"c", []Proc{child}, nil, Gone},
		"reboot, pid in use":          {"c", []Proc{leader}, map[int]string{100: "t"}, Foreign},
		"other token":                 {"b", []Proc{leader}, map[int]string{100: "u"}, Foreign},
		"no token":                    {"b", []Proc{leader}, nil, Foreign},
		"other user":                  {"b", []Proc{{Pid: 100, Session: 100, Start: 50, UID: me + 1}}, map[int]string{100: "t"}, Foreign},
		"pid reused":                  {"b", []Proc{{Pid: 100, Session: 7, Start: 90, UID: me}, child}, nil, Foreign},
		"orphan":                      {"b", []Proc{child}, nil, Orphans},
		"orphan older than leader":    {"b", []Proc{{Pid: 101, Session: 100, Start: 49, UID: me}}, nil, Gone},
		"orphan of another user":      {"b", []Proc{{Pid: 101, Session: 100, Start: 60, UID: me + 1}}, nil, Gone},
		"orphan of another launch":    {"b", []Proc{child}, map[int]string{101: "u"}, Foreign},
		"session of somebody else":    {"b", []Proc{{Pid: 101, Session: 7, Start: 60, UID: me}}, nil, Gone},
		"orphan that shows our token": {"b", []Proc{child}, map[int]string{101: "t"}, Orphans},
	}
	for name, tt := range tests {
		table := map[int]Proc{}
		for _, p := range tt.procs {
			table[p.Pid] = p
		}
		got := id.judge(tt.boot, table, func(pid int) string { return tt.token[pid] })
		if got.Standing != tt.want {
			t.Errorf("%s: %+v, want standing %d", name, got, tt.want)
		}
		if (got.Standing == Running || got.Standing == Orphans) != (len(got.Members) > 0) {
			t.Errorf("%s: members %v", name, got.Members)
		}
	}
}
