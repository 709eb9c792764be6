package redis

import (
	"net"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/session/internal/guard"
)

const (
	// maxElements and maxBytes bound what one reply may claim; maxDepth how it nests.
	maxElements = 1 << 16
	maxBytes    = 4 << 20
	maxDepth    = 8
)

// talk is one connection as both directions are seen. The client library panics, in a goroutine
// of its own, where the server answers what nobody has asked, or claims absurd lengths.
type talk struct {
	asked atomic.Int64 // commands sent

	left           int   // arguments of the command that is being sent
	answered       int64 // replies that have begun or ended
	open           []int // elements to come, outermost aggregate first
	pushed         bool  // the reply that is open is a push
	pushes         bool  // such are expected
	elements, size int   // claimed by the reply that is open
}

func guarded(conn net.Conn, pushes bool) net.Conn {
	t := &talk{pushes: pushes}
	return &guard.Conn{Conn: conn, In: &guard.Scanner{Line: t.reply}, Out: &guard.Scanner{Line: t.command}}
}

// command counts what is sent: arrays of bulk strings.
func (t *talk) command(line []byte) (skip int, err error) {
	if len(line) < 2 {
		return 0, guard.ErrNonsense
	}
	n, err := guard.Number(line[1:], 1<<30)
	if err != nil {
		return 0, err
	}
	if line[0] == '*' {
		t.left = n
		return 0, nil
	}
	if t.left--; t.left == 0 {
		t.asked.Add(1)
	}
	return n + 2, nil
}

// reply looks at a line of the server.
func (t *talk) reply(line []byte) (skip int, err error) {
	if len(line) == 0 {
		return 0, guard.ErrNonsense
	}
	if len(t.open) == 0 { // a new reply
		t.elements, t.size = 0, 0
		if t.pushed = line[0] == '>'; !t.pushed {
			if t.answered++; t.answered > t.asked.Load() {
				return 0, guard.ErrNonsense
			}
		}
	}
	switch kind, rest := line[0], line[1:]; kind {
	case '+', '-', ':', '_', ',', '#', '(':
		t.closed()
		return 0, nil
	case '$', '!', '=':
		if string(rest) == "-1" {
			t.closed()
			return 0, nil
		}
		n, err := guard.Number(rest, maxBytes)
		if t.size += n; err != nil || t.size > maxBytes {
			return 0, guard.ErrNonsense
		}
		t.closed()
		return n + 2, nil
	case '*', '~', '%', '>':
		return 0, t.opened(kind, rest)
	}
	return 0, guard.ErrNonsense
}

// opened takes in the beginning of an aggregate.
func (t *talk) opened(kind byte, count []byte) error {
	if kind == '>' && (!t.pushes || len(t.open) > 0) {
		return guard.ErrNonsense
	}
	if string(count) == "-1" && kind == '*' {
		t.closed()
		return nil
	}
	n, err := guard.Number(count, maxElements)
	if kind == '%' {
		n *= 2
	}
	if t.elements += n; err != nil || t.elements > maxElements || len(t.open) == maxDepth {
		return guard.ErrNonsense
	}
	if n == 0 {
		t.closed()
		return nil
	}
	t.open = append(t.open, n)
	return nil
}

// closed takes in the end of an element, and of the aggregates that end with it.
func (t *talk) closed() {
	for len(t.open) > 0 {
		last := len(t.open) - 1
		if t.open[last]--; t.open[last] > 0 {
			return
		}
		t.open = t.open[:last]
	}
}
