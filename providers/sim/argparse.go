package sim

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// usageError is a mistake on the command line: exit status 2, after the usage
// line of the parser that found it ("vllm serve", or the outer "vllm" for
// arguments that nobody wanted).
type usageError struct{ prog, message string }

func (e *usageError) Error() string {
	usage := "usage: vllm serve [model_tag] [options]"
	if e.prog == "vllm" {
		usage = outerUsage
	}
	return fmt.Sprintf("%s\n%s: error: %s\n", usage, e.prog, e.message)
}

func serveUsage(format string, args ...any) error {
	return &usageError{"vllm serve", fmt.Sprintf(format, args...)}
}

var errHelp = errors.New("help was asked for")

// parsed is the command line of serve as understood. Values are keyed by
// flag.dest and hold string, int64, float64, bool, nil, []any or, for JSON, what
// encoding/json makes of it.
type parsed struct {
	model    string
	values   map[string]any
	given    []string // dests in the order of the table that were given
	flags    flagTable
	warnings []string // plain lines for stderr, written even when parsing fails
}

// parser walks the arguments once, as argparse does.
type parser struct {
	parsed
	args    []string
	next    int
	literal bool // after "--"
	extra   []string
	set     map[string]bool
}

// parseServe parses what follows `vllm serve`.
func parseServe(args []string) (parsed, error) {
	rewritten, warnings, err := rewrite(args)
	p := &parser{parsed: parsed{values: map[string]any{}, flags: loadFlags(), warnings: warnings}, args: rewritten, set: map[string]bool{}}
	if err != nil {
		return p.parsed, err
	}
	for _, f := range p.flags.ordered {
		p.values[f.dest()] = f.fallback
	}
	if err := p.walk(); err != nil {
		return p.parsed, err
	}
	for _, f := range p.flags.ordered {
		if p.set[f.dest()] {
			p.given = append(p.given, f.dest())
		}
	}
	if len(p.extra) > 0 {
		return p.parsed, unrecognized(p.extra)
	}
	if p.model == "" {
		p.model, _ = p.values["model"].(string)
	}
	return p.parsed, nil
}

func (p *parser) walk() error {
	for p.next < len(p.args) {
		arg := p.args[p.next]
		p.next++
		switch {
		case !p.literal && arg == "--":
			p.literal = true
		case p.literal || !optionLike(arg):
			p.positional(arg)
		default:
			if err := p.option(arg); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *parser) positional(arg string) {
	if p.model == "" && len(p.extra) == 0 {
		p.model = arg
		return
	}
	p.extra = append(p.extra, arg)
}

func (p *parser) option(arg string) error {
	matched, value, inline := p.flags.match(arg)
	switch {
	case len(matched) > 1:
		return serveUsage("ambiguous option: %s could match %s", arg, strings.Join(matched, ", "))
	case len(matched) == 0:
		p.extra = append(p.extra, arg)
		return nil
	}
	f := p.flags.byName[matched[0]]
	if f.kind == "help" {
		return errHelp
	}
	p.set[f.dest()] = true
	if f.values == "0" {
		if inline {
			return serveUsage("argument %s: ignored explicit argument %s", f.label(), pythonString(value))
		}
		p.values[f.dest()] = !strings.HasPrefix(matched[0], "--no-") || f.names[0] == matched[0]
		return nil
	}
	raw := []string{value}
	if !inline {
		raw = p.takeValues(f.values)
	}
	return p.store(f, raw)
}

// takeValues consumes the words that belong to an option.
func (p *parser) takeValues(count string) []string {
	start := p.next
	for p.next < len(p.args) && !optionLike(p.args[p.next]) {
		p.next++
		if count != "+" {
			break
		}
	}
	return p.args[start:p.next]
}

func (p *parser) store(f *flag, raw []string) error {
	switch {
	case len(raw) == 0 && f.values == "1":
		return serveUsage("argument %s: expected one argument", f.label())
	case len(raw) == 0 && f.values == "+":
		return serveUsage("argument %s: expected at least one argument", f.label())
	}
	var list []any
	for _, text := range raw {
		v, err := f.convert(text)
		if err != nil {
			return err
		}
		list = append(list, v)
	}
	switch {
	case f.values == "+":
		p.values[f.dest()] = list
	case len(list) == 0: // "?" without a value
		p.values[f.dest()] = true
	default:
		p.values[f.dest()] = list[0]
	}
	return nil
}

var negativeNumber = regexp.MustCompile(`^-(\d+|\d*\.\d+)$`)

// optionLike is argparse's rule for what may be an option: a dash in front, no
// number, no space.
func optionLike(arg string) bool {
	return len(arg) > 1 && arg[0] == '-' && !negativeNumber.MatchString(arg) && !(strings.Contains(arg, " ") && !strings.Contains(arg, "="))
}

const taskHint = "\n\nHint: --task is not a vllm serve option. For embedding, reranking, or reward models, use " +
	"--runner pooling. To adapt a generative model for pooling, also use --convert embed, --convert classify, or --convert reward."

func unrecognized(extra []string) error {
	message := "unrecognized arguments: " + strings.Join(extra, " ")
	if indexOption(extra, "--task") >= 0 {
		message += taskHint
	}
	return &usageError{"vllm", message}
}
