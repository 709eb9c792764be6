package terminal

import (
	"fmt"
	"io"
	"sync"
)

// Progress is a line that tells how far something is, at a terminal alone, and that is
// gone at the end. Its methods may be called by several goroutines at once.
type Progress struct {
	w     io.Writer // nil where nobody looks
	what  string
	total int

	mu   sync.Mutex
	done int
}

// NewProgress begins the line: "0 of 12 asked".
func NewProgress(w io.Writer, total int, what string) *Progress {
	p := &Progress{what: what, total: total}
	if atTerminal(w) {
		p.w = w
	}
	p.write()
	return p
}

// Step counts one more that is done.
func (p *Progress) Step() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	p.write()
}

// Reach says that done are done so far.
func (p *Progress) Reach(done int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done != done {
		p.done = done
		p.write()
	}
}

// End wipes the line.
func (p *Progress) End() {
	if p.w != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

func (p *Progress) write() {
	if p.w != nil {
		fmt.Fprintf(p.w, "\r\x1b[K%d of %d %s", p.done, p.total, p.what)
	}
}
