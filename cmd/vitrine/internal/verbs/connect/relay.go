package connect

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// quietWait is how long the server may say nothing after the end of our input,
// until a note tells why the command goes on.
const quietWait = 5 * time.Second

// A relay carries bytes both ways. Our direction stays open after the end of the
// input, until the peer ends its own: many servers drop what they have not sent
// yet when a close_notify comes, and up to TLS 1.2 they must. RFC 5246 §7.2.1.
type relay struct {
	conn  *tls.Conn
	out   io.Writer
	notes io.Writer // for people
	// halfClose closes our direction at the end of the input.
	halfClose bool
	// later is how long a handshake that the server may begin keeps our direction
	// open, without input; 0 where it begins none.
	later time.Duration

	sent, received atomic.Int64  // bytes
	ended          chan struct{} // the peer's direction has come to its end
}

// run sends what in holds, and writes what comes until the peer ends. Where the
// peer ends without an answer to what was sent, that is an error.
func (r *relay) run(in io.Reader) error {
	r.ended = make(chan struct{})
	sent := make(chan error, 1)
	go func() { sent <- r.send(in) }()
	_, err := io.Copy(counted{r.out, &r.received}, r.conn)
	close(r.ended)
	nothing := r.sent.Load() == 0 && r.received.Load() == 0
	if err != nil && !(nothing && errors.Is(err, io.ErrUnexpectedEOF)) { // of nothing nothing can be missing
		return err
	}
	select {
	case err = <-sent:
	default:
		select {
		case err = <-sent:
		case <-time.After(r.begins(nothing)): // the peer closed before our input ended
		}
	}
	switch {
	case err != nil || r.received.Load() > 0:
		return err
	case r.sent.Load() > 0 && !r.halfClose: // after half a close there may be nothing to say
		return report.ErrNoAnswer
	}
	r.note("the server sent nothing, and closed the connection")
	return nil
}

// inputWait is how long input may take that is there, where a peer closes at once: it must
// not look as if there were none.
const inputWait = 200 * time.Millisecond

// begins is how long the end of the input is waited for.
func (r *relay) begins(nothing bool) time.Duration {
	if nothing {
		return inputWait
	}
	return 0
}

// counted is a Writer that adds up what it was given.
type counted struct {
	io.Writer
	bytes *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	c.bytes.Add(int64(len(p)))
	return c.Writer.Write(p)
}

// send sends what in holds. Without any input there is no answer to wait for, and
// our direction closes.
func (r *relay) send(in io.Reader) error {
	before := r.conn.State()
	n, err := io.Copy(counted{r.conn, &r.sent}, in)
	switch {
	case err != nil:
		r.conn.CloseWrite() // or the peer would wait for the rest
		return err
	case n > 0 && !r.halfClose:
		r.stay()
		return nil
	}
	r.awaitFurther(before)
	if err := r.conn.CloseWrite(); n > 0 {
		return err
	}
	return nil // the peer may have closed first, and nothing of ours is lost
}

// stay says once why the command does not end, if the peer keeps quiet.
func (r *relay) stay() {
	for seen := int64(-1); seen != r.received.Load(); {
		seen = r.received.Load()
		select {
		case <-r.ended:
			return
		case <-time.After(quietWait):
		}
	}
	r.note("the input has ended, and the server keeps the connection open; --half-close closes our direction then")
}

// awaitFurther waits for the handshake that the server may begin: it needs both
// directions.
func (r *relay) awaitFurther(before tls.State) {
	if r.later == 0 {
		return
	}
	most := time.After(r.later)
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !happened(before, r.conn.State()) {
		select {
		case <-look.C:
		case <-r.ended:
			return
		case <-most:
			return
		}
	}
}

// happened reports that a handshake inside the connection came to its end.
func happened(before, now tls.State) bool {
	return now.Renegotiations > before.Renegotiations || now.ClientAuthRequested && !before.ClientAuthRequested
}

func (r *relay) note(words string) { fmt.Fprintln(r.notes, "vitrine: "+words) }

// mayFollow reports that the server may begin a handshake inside the connection.
func (o *options) mayFollow(s tls.State) bool {
	if s.Version >= wire.TLS13 {
		return o.tls.PostHandshakeAuth
	}
	return o.tls.Renegotiate == "server"
}
