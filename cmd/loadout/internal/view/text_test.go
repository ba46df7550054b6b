package view

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/loadoutdev/loadout/engine"
)

func TestNewScreen(t *testing.T) {
	utf8Locale := "LANG=en_US.UTF-8"
	for _, c := range []struct {
		name         string
		noColor      bool
		env          []string
		color, ascii bool
	}{
		{"piped", false, []string{utf8Locale}, false, false},
		{"forced", false, []string{utf8Locale, "CLICOLOR_FORCE=1"}, true, false},
		{"forced off by 0", false, []string{utf8Locale, "CLICOLOR_FORCE=0"}, false, false},
		{"NO_COLOR wins over force", false, []string{utf8Locale, "CLICOLOR_FORCE=1", "NO_COLOR=1"}, false, false},
		{"empty NO_COLOR says nothing", false, []string{utf8Locale, "CLICOLOR_FORCE=1", "NO_COLOR="}, true, false},
		{"flag wins over all", true, []string{utf8Locale, "CLICOLOR_FORCE=1"}, false, false},
		{"force wins over dumb", false, []string{utf8Locale, "CLICOLOR_FORCE=1", "TERM=dumb"}, true, true},
		{"no locale is POSIX", false, nil, false, true},
		{"C", false, []string{"LANG=C"}, false, true},
		{"C.UTF-8", false, []string{"LANG=C.UTF-8"}, false, false},
		{"LC_ALL wins", false, []string{"LC_ALL=POSIX", utf8Locale}, false, true},
		{"empty LC_ALL says nothing", false, []string{"LC_ALL=", utf8Locale}, false, false},
		{"LC_CTYPE before LANG", false, []string{"LC_CTYPE=de_DE.utf8", "LANG=C"}, false, false},
	} {
		s := NewScreen(&bytes.Buffer{}, Flags{NoColor: c.noColor}, c.env)
		if s.Color != c.color || s.ASCII != c.ascii || s.TTY || s.Live || s.Width != 80 {
			t.Errorf("%s: %+v", c.name, *s)
		}
	}
	file, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if s := NewScreen(file, Flags{}, []string{utf8Locale}); s.TTY || s.Color {
		t.Errorf("a file is not a terminal: %+v", *s)
	}
}

func TestWords(t *testing.T) {
	for _, c := range [][2]string{
		{size(0), "0 B"},
		{size(2048), "2 KiB"},
		{size(512 << 20), "512 MiB"},
		{size(14925142426), "13.9 GiB"},
		{seconds(0.2), "under 1 s"},
		{seconds(95.4), "95 s"},
		{seconds(412), "7 min"},
		{seconds(9000), "2.5 h"},
		{Count(1, "model"), "1 model"},
		{Count(2, "model"), "2 models"},
		{Count(0, "model"), "0 models"},
		{enumerate(nil), ""},
		{enumerate([]string{"a"}), "a"},
		{enumerate([]string{"a", "b"}), "a and b"},
		{enumerate(strings.Split("abcde", "")), "a, b, c, d and e"},
		{enumerate(strings.Split("abcdefg", "")), "a, b, c, d and 3 more"},
		{sentence("set max_model_len to 4"), "Set max_model_len to 4."},
		{sentence("max_model_len is too large!"), "max_model_len is too large!"},
		{sentence(""), ""},
		{shellWord("my plan.json"), "'my plan.json'"},
		{shellWord("it's"), `'it'\''s'`},
		{shellWord(""), "''"},
	} {
		if c[0] != c[1] {
			t.Errorf("got %q, want %q", c[0], c[1])
		}
	}
}

func TestCleanNeutralizesWhatSteersATerminal(t *testing.T) {
	for in, want := range map[string]string{
		"plain → text":     "plain → text",
		"\x1b[31mred":      `\x1b[31mred`,
		"a\r\nb\tc":        `a\r\nb\tc`,
		"\u202egpj":        `\u202egpj`,
		"\u200bhidden":     `\u200bhidden`,
		"bad\xffbyte":      `bad\ufffdbyte`,
		"\u009b31m C1 CSI": `\u009b31m C1 CSI`,
		"模型 é":             "模型 é",
	} {
		if got := (&Screen{}).clean(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestShortenAndPadCountColumns(t *testing.T) {
	s := &Screen{}
	for in, want := range map[string]string{"short": "short", "exactly8": "exactly8", "one too many": "one too…", "模型模型模型": "模型模…"} {
		if got := s.shorten(in, 8); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got := pad("模型", 6); got != "模型  " {
		t.Errorf("got %q", got)
	}
	if n := cells("e\u0301"); n != 1 {
		t.Errorf("a combining accent takes %d columns", n-1)
	}
}

func FuzzClean(f *testing.F) {
	f.Add("\x1b[2J\u202e")
	f.Add("模\xff\n")
	f.Fuzz(func(t *testing.T, in string) {
		for _, s := range []*Screen{{}, {ASCII: true}} {
			out := s.clean(in)
			if !utf8.ValidString(out) || strings.ContainsAny(out, "\x1b\r\n\u202e\u009b") {
				t.Errorf("%q became %q", in, out)
			}
		}
	})
}

func FuzzTextDiff(f *testing.F) {
	f.Add("a\nb\nc\n", "a\nc\nd\n")
	f.Add("", "x")
	f.Add("x\n", "x")
	f.Fuzz(func(t *testing.T, before, after string) {
		was, is := strings.Split(before, "\n"), strings.Split(after, "\n")
		var gotWas, gotIs []string
		for _, l := range sequence(was, is) {
			if l.mark != '+' {
				gotWas = append(gotWas, l.text)
			}
			if l.mark != '-' {
				gotIs = append(gotIs, l.text)
			}
		}
		if !slices.Equal(gotWas, was) || !slices.Equal(gotIs, is) {
			t.Errorf("the diff of %q and %q does not add up", before, after)
		}
		(&Screen{}).textDiff(before, after)
	})
}

// A diff must not cost more than its size allows, whatever the texts.
func TestTextDiffIsBounded(t *testing.T) {
	var before, after strings.Builder
	for i := range 60000 {
		fmt.Fprintf(&before, "old %d\n", i)
		fmt.Fprintf(&after, "new %d\n", i)
	}
	d := (&Screen{}).textDiff("same\n"+before.String(), "same\n"+after.String())
	if len(d) != 120002 || d[0].text != "@@ -1,60001 +1,60001 @@" {
		t.Errorf("%d lines, first %q", len(d), d[0].text)
	}
	var out bytes.Buffer
	p := terminal(&out).page()
	p.paintDiff("", d, diffMost)
	if err := p.flush(); err != nil {
		t.Fatal(err)
	}
	if got := lines(out.String()); len(got) != diffMost+1 || !strings.Contains(got[diffMost], "119972 more lines (--full shows all)") {
		t.Errorf("%d lines, last %q", len(got), got[len(got)-1])
	}
}

func TestHunksAreThoseOfDiff(t *testing.T) {
	text := func(from, to int, skip ...int) []string {
		var out []string
		for i := from; i <= to; i++ {
			if !slices.Contains(skip, i) {
				out = append(out, fmt.Sprint(i))
			}
		}
		return out
	}
	for _, c := range []struct {
		name          string
		before, after []string
		heads         []string
	}{
		{"same", text(1, 9), text(1, 9), nil},
		{"first line goes", text(1, 9), text(2, 9), []string{"@@ -1,3 +1,2 @@"}},
		{"from nothing", nil, text(1, 2), []string{"@@ -0,0 +1,2 @@"}},
		{"two near are one", text(1, 20), text(1, 20, 8, 12), []string{"@@ -6,9 +6,7 @@"}},
		{"two far are two", text(1, 20), text(1, 20, 5, 12), []string{"@@ -3,5 +3,4 @@", "@@ -10,5 +9,4 @@"}},
	} {
		var heads []string
		for _, l := range hunks(sequence(c.before, c.after)) {
			if l.mark == '@' {
				heads = append(heads, l.text)
			}
		}
		if !slices.Equal(heads, c.heads) {
			t.Errorf("%s: %q, want %q", c.name, heads, c.heads)
		}
	}
}

func TestDifference(t *testing.T) {
	list := func(words ...string) []any {
		out := make([]any, len(words))
		for i, w := range words {
			out[i] = w
		}
		return out
	}
	for _, c := range []struct {
		name, path    string
		before, after engine.Value
		want          string
	}{
		{"added", "port", nil, int64(1), "+ 1"},
		{"removed", "port", int64(1), nil, "- 1"},
		{"number", "args.x", 0.5, int64(1), "0.5 → 1"},
		{"equals and space are one flag", "extra_args", list("--tp=4", "--a"), list("--tp", "4", "--b"), "---a/+--b/ 1 argument unchanged"},
		{"order only", "extra_args", list("--a", "--b"), list("--b", "--a"), " the same arguments in another order/ 2 arguments unchanged"},
		{"repeated flag", "extra_args", list("--lora", "a", "--lora", "b"), list("--lora", "a"), "---lora a/---lora b/+--lora a"},
		{"negative number is a value", "extra_args", list("--x", "-1"), list("--x", "-2"), " --x  -1 → -2"},
		{"flag gets a value", "command", list("vllm", "--x"), list("vllm", "--x", "1"), " --x  (no value) → 1/ 1 argument unchanged"},
		{"JSON written differently", "args.c", `{"a":1}`, `{ "a": 1.0 }`, " the same values, written differently/ 1 key unchanged"},
		{"JSON from empty", "args.c", `{}`, `{"a":1}`, "+a  1"},
		{"no JSON after all", "args.c", `{"a":1}`, `{nonsense`, `"{\"a\":1}" → "{nonsense"`},
		{"list", "aliases", list("a"), list("a", "b"), `+"b"/ 1 element unchanged`},
		{"last line break", "chat_template", "a\nb", "a\nb\n", " only the line break at the end differs"},
	} {
		inline, block := (&Screen{}).difference(c.path, c.before, c.after)
		parts := []string{}
		if inline != "" {
			parts = append(parts, inline)
		}
		for _, l := range block {
			parts = append(parts, string(l.mark)+l.text)
		}
		if got := strings.Join(parts, "/"); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
