package rogue

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// words are what each role says.
var words = sides[string]{wire.Client: "ping", wire.Server: "pong"}

// talk is what an application does with its connection.
func (r *run) talk(role wire.Role, c *tls.Conn) {
	x := r.sides[role]
	defer c.Close()
	if x.err = c.Handshake(); x.err != nil {
		return
	}
	r.complete(x, 1)
	first := r.stage.Flow.further
	if first == 0 {
		first = wire.Client
	}
	for _, speaker := range []wire.Role{first, first.Peer()} {
		if x.err = r.speak(x, c, speaker); x.err != nil {
			return
		}
	}
	if role == first {
		x.err = c.CloseWrite()
	}
	if x.err == nil {
		x.err = drain(x, c)
	}
}

// speak has speaker say its word, after a handshake where it begins one.
func (r *run) speak(x *side, c *tls.Conn, speaker wire.Role) error {
	if x.role == speaker {
		if r.stage.Flow.further == x.role {
			if err := r.begin(c); err != nil {
				return err
			}
			r.complete(x, 2)
		}
		_, err := io.WriteString(c, words[speaker])
		return err
	}
	buf := make([]byte, len(words[speaker]))
	n, err := io.ReadFull(c, buf)
	x.data = append(x.data, buf[:n]...)
	if err != nil {
		x.eof = errors.Is(err, io.EOF)
		return err
	}
	if string(buf) != words[speaker] {
		return fmt.Errorf("the %v said %q", speaker, buf)
	}
	if r.stage.Flow.further == speaker && r.authenticatedAnew(x) {
		r.complete(x, 2)
	}
	return nil
}

// authenticatedAnew reports whether a side has seen the Finished of a second handshake.
func (r *run) authenticatedAnew(x *side) bool {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	return len(x.finished[wire.Client]) > 1 && (r.stage.Flow.Version == wire.TLS13 || len(x.finished[wire.Server]) > 1)
}

// complete notes that a side takes its n-th handshake for complete.
func (r *run) complete(x *side, n int) {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	x.completed = n
}

// begin begins a handshake on an open connection.
func (r *run) begin(c *tls.Conn) error {
	if r.stage.Flow.Version == wire.TLS13 {
		return c.RequestClientCertificate(context.Background())
	}
	return c.Renegotiate(context.Background())
}

// drain reads to the end, where it says goodbye too.
func drain(x *side, c *tls.Conn) error {
	rest, err := io.ReadAll(c)
	x.data, x.eof = append(x.data, rest...), err == nil
	return err
}
