package view

// FileDiff writes how a file would change, in the unified format that patch(1)
// reads. before and after are its bytes.
func FileDiff(s *Screen, name string, before, after []byte) error {
	p := s.page()
	p.line("--- ", p.clean(name))
	p.line("+++ ", p.clean(name))
	for _, l := range hunks(sequence(lines(string(before)), lines(string(after)))) {
		text := l.text // as it is, because a patch must apply; a terminal is protected
		if s.TTY {
			text = p.clean(text)
		}
		switch l.mark {
		case '@':
			p.line(p.paint(note, text))
		case '+':
			p.verbatim(p.paint(good, "+"+text))
		case '-':
			p.verbatim(p.paint(bad, "-"+text))
		default:
			p.verbatim(" " + text)
		}
	}
	return p.flush()
}

// verbatim writes a line with the spaces at its end.
func (p *page) verbatim(text string) {
	p.b.WriteString(text)
	p.b.WriteByte('\n')
}
