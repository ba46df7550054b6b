package view

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares output with testdata/name.golden.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (make it with -update)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (accept with -update)\n--- got\n%s\n--- want\n%s", path, got, want)
	}
}

// screens are the kinds of screen that texts are drawn for.
func terminal(w *bytes.Buffer) *Screen { return &Screen{W: w, Width: 80, TTY: true, Zone: time.UTC} }
func piped(w *bytes.Buffer) *Screen    { return &Screen{W: w, Width: 80, Zone: time.UTC} }
func ascii(w *bytes.Buffer) *Screen {
	return &Screen{W: w, Width: 80, TTY: true, ASCII: true, Zone: time.UTC}
}
func colored(w *bytes.Buffer) *Screen {
	return &Screen{W: w, Width: 80, TTY: true, Color: true, Zone: time.UTC}
}

// draw runs a view on a screen and checks what holds for every text.
func draw(t *testing.T, screen func(*bytes.Buffer) *Screen, show func(*Screen) error) []byte {
	t.Helper()
	var b bytes.Buffer
	s := screen(&b)
	if err := show(s); err != nil {
		t.Fatal(err)
	}
	for i, l := range strings.Split(b.String(), "\n") {
		if strings.TrimRight(l, " ") != l {
			t.Errorf("line %d ends with spaces: %q", i+1, l)
		}
		if !s.Color && strings.ContainsRune(l, '\x1b') {
			t.Errorf("line %d has an escape: %q", i+1, l)
		}
		if s.ASCII && strings.IndexFunc(l, func(r rune) bool { return r > 0x7e }) >= 0 {
			t.Errorf("line %d is not ASCII: %q", i+1, l)
		}
	}
	return b.Bytes()
}
