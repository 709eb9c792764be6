package terminal

import (
	"fmt"
	"io"
)

// Status is a line that says what is being done, at a terminal alone, and that is gone at the
// end. Its methods are called by one goroutine.
type Status struct {
	w     io.Writer // nil where nobody looks
	width int
}

// NewStatus is a line on w, which stays empty until Say.
func NewStatus(w io.Writer) *Status {
	if !atTerminal(w) {
		return &Status{}
	}
	s := &Status{w: w, width: 80}
	if n := Width(w); n > 0 {
		s.width = n
	}
	return s
}

// Say puts text in the place of what the line says, cut where it does not fit.
func (s *Status) Say(text string) {
	if s.w == nil {
		return
	}
	if r := []rune(Printable(text)); len(r) < s.width {
		text = string(r)
	} else {
		text = string(r[:max(0, s.width-2)]) + "…"
	}
	fmt.Fprint(s.w, "\r\x1b[K"+text)
}

// End wipes the line.
func (s *Status) End() {
	if s.w != nil {
		fmt.Fprint(s.w, "\r\x1b[K")
	}
}
