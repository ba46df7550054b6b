package store

import (
	"testing"

	"github.com/loadoutdev/loadout/engine"
)

// FuzzJournal: no bytes make the reader panic, and what it accepts it gives back
// the same after being written again.
func FuzzJournal(f *testing.F) {
	in := rich()
	var seed []byte
	for _, r := range []record{{Kind: kindBegin, Run: &Run{ID: "r"}}, {Kind: kindIntent, Seq: 1, Op: engine.OpStart, Model: "m", Instance: &in},
		{Kind: kindNote, Seq: 1, Instance: &in}, {Kind: kindResult, Seq: 1, OK: true}, {Kind: kindGone, Instance: &in}, {Kind: kindEnd}} {
		line, err := encodeRecord(r)
		if err != nil {
			f.Fatal(err)
		}
		seed = append(seed, line...)
		f.Add(seed)
	}
	f.Add([]byte("{\"kind\":\"intent\"}\n\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		recs, err := parseJournal("j", raw)
		if err != nil {
			return
		}
		open := unfinished(recs.ops(), nil)
		var again []byte
		for _, r := range recs {
			line, err := encodeRecord(r)
			if err != nil {
				t.Fatal(err)
			}
			again = append(again, line...)
		}
		back, err := parseJournal("j", again)
		if err != nil || len(back) != len(recs) {
			t.Fatalf("%d records became %d: %v", len(recs), len(back), err)
		}
		if engine.Digest(open) != engine.Digest(unfinished(back.ops(), nil)) {
			t.Fatal("another answer after being written again")
		}
	})
}

// FuzzSnapshot: no bytes make the reader panic, and what it accepts is written
// and read as the same.
func FuzzSnapshot(f *testing.F) {
	good, err := encodeSnapshot(&engine.Snapshot{FormatVersion: "1.0", Lineage: "l", Serial: 1, Workspace: "gpu",
		Models:    []engine.Entry{{Name: "a", Values: map[string]any{"n": int64(1), "s": engine.NewSecret("gpu", "x")}}},
		Instances: []engine.Instance{rich()}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte(`{"format_version":"1.0","lineage":"l","serial":1,"workspace":"gpu","models":[{"values":{"x":1e999}}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		snap, err := decodeSnapshot(raw, "gpu")
		if err != nil {
			return
		}
		again, err := encodeSnapshot(snap)
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeSnapshot(again, "gpu")
		if err != nil {
			t.Fatal(err)
		}
		if engine.Digest(back) != engine.Digest(snap) {
			t.Fatal("not the same after being written and read")
		}
	})
}
