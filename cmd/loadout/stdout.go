package main

import "io"

// stdout is standard output. It remembers whether anything was printed, because
// there is to be one JSON document only, and whether it could be written.
type stdout struct {
	to    io.Writer
	begun bool
	err   error // of the first write that failed
}

func (s *stdout) Write(p []byte) (int, error) {
	s.begun = true
	n, err := s.to.Write(p)
	if s.err == nil {
		s.err = err
	}
	return n, err
}
