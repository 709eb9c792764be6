package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// bounds are the ways in which an application can bound a wait.
type bound int

const (
	byTimeout  bound = iota // Config.HandshakeTimeout, and a deadline after the handshake
	byContext               // a context for handshakes, and a deadline after the first
	byDeadline              // a deadline for all
	bounds
	unbound // nothing that is met before a test has failed
)

func (b bound) String() string {
	return [...]string{byTimeout: "by timeout", byContext: "by context", byDeadline: "by deadline", unbound: "unbound"}[b]
}

// What the bounds are. All are so far off that no fault but a stall meets them.
const (
	patience = 500 * time.Millisecond // of Config.HandshakeTimeout
	shorter  = 300 * time.Millisecond // of contexts and deadlines
	// slack is what may pass between a bound, or another fault, and the error.
	slack = time.Second
)

// side is one end of a connection while it takes its steps.
type side struct {
	conn  *tls.Conn
	wire  *end
	steps []step
	bound bound

	sent, got []byte
	done      int       // steps taken
	err       error     // of the step that failed
	over      time.Time // when it did
	print     string    // of what the handshake has agreed on
	state     tls.State
	after     []string // what was wrong with the time after
}

// step is what a side does next.
type step func(s *side) error

func (s *side) context() (context.Context, context.CancelFunc) {
	if s.bound != byContext {
		return background(), func() {}
	}
	return context.WithTimeout(background(), shorter)
}

func handshake(s *side) error {
	if s.bound == byDeadline {
		s.conn.SetDeadline(time.Now().Add(shorter))
	}
	ctx, cancel := s.context()
	defer cancel()
	if err := s.conn.HandshakeContext(ctx); err != nil {
		return err
	}
	if s.bound == unbound {
		s.conn.SetDeadline(time.Now().Add(2 * hung))
	} else if s.bound != byDeadline {
		s.conn.SetDeadline(time.Now().Add(shorter))
	}
	s.print = fingerprint(s.conn)
	return nil
}

// fingerprint has all that both ends must agree on, keys included.
func fingerprint(c *tls.Conn) string {
	state, std := c.State(), c.ConnectionState()
	exported, _ := std.ExportKeyingMaterial("EXPERIMENTAL vitrine", nil, 16)
	return fmt.Sprintf("%v %v %s %v %s %v %x %x", state.Version, state.CipherSuite, state.KeyExchange, state.Group,
		state.Resumption, state.ExtendedMasterSecret, std.TLSUnique, exported)
}

// pattern is what all sides send, from its start.
const sentence = "what one side says is what the other must hear. "

var pattern = bytes.Repeat([]byte(sentence), 100)

// send writes n bytes. A Write that has timed out is tried again, as it may be.
func send(n int) step {
	return func(s *side) error {
		p := pattern[len(s.sent)%len(sentence):][:n]
		s.sent = append(s.sent, p...)
		m, err := s.conn.Write(p)
		for tries := 0; err != nil && timedOut(err) && tries < 3; tries++ {
			p = p[m:]
			m, err = s.conn.Write(p)
		}
		if err == nil && m != len(p) {
			return fmt.Errorf("Write took %d of %d bytes, and gave no error", m, len(p))
		}
		return err
	}
}

// receive reads n bytes. A Read that has timed out is tried again, as it may be.
func receive(n int) step {
	return func(s *side) error {
		buf := make([]byte, n)
		for n, tries := 0, 0; n < len(buf); {
			m, err := s.conn.Read(buf[n:])
			s.got = append(s.got, buf[n:n+m]...)
			n += m
			if err != nil && timedOut(err) && tries < 3 {
				tries++
				continue
			}
			if err == io.EOF {
				return errEarlyEnd
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// errEarlyEnd is for a close_notify before its time. A peer whose connection fails
// sends one where it can; no fault may look like it.
var errEarlyEnd = errors.New("io.EOF in the middle of a stream")

func receiveEnd(s *side) error {
	for tries := 0; ; tries++ {
		buf := make([]byte, 16)
		n, err := s.conn.Read(buf)
		s.got = append(s.got, buf[:n]...)
		switch {
		case n > 0: // a peer whose step failed may have tried to send more
		case err == io.EOF:
			return nil
		case err == nil:
			return errors.New("Read gave neither a byte nor an error")
		case !timedOut(err) || tries == 3:
			return err
		}
	}
}

// again repeats what has timed out: what is sealed by then is sent by the next.
func again(f func() error) error {
	err := f()
	for tries := 0; err != nil && timedOut(err) && tries < 3; tries++ {
		err = f()
	}
	return err
}

func closeWrite(s *side) error { return again(s.conn.CloseWrite) }

func updateKeys(s *side) error {
	err := s.conn.KeyUpdate(true)
	if err != nil && timedOut(err) {
		return nil // it goes with the next Write
	}
	return err
}

func renegotiate(s *side) error {
	ctx, cancel := s.context()
	defer cancel()
	return s.conn.Renegotiate(ctx)
}

func requestCertificate(s *side) error {
	ctx, cancel := s.context()
	defer cancel()
	return s.conn.RequestClientCertificate(ctx)
}

func timedOut(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// run takes the steps, until one fails, sees how the connection is afterwards,
// and closes it.
func (s *side) run() {
	for _, step := range s.steps {
		if s.err = step(s); s.err != nil {
			break
		}
		s.done++
	}
	s.over = time.Now()
	s.state = s.conn.State()
	if s.err != nil {
		s.afterwards()
	}
	s.close()
}

func (s *side) wrong(format string, args ...any) {
	s.after = append(s.after, fmt.Sprintf(format, args...))
}

// afterwards: what has failed stays so, and says so in the same way.
func (s *side) afterwards() {
	if s.done == 0 {
		s.neverComplete()
		return
	}
	if timedOut(s.err) {
		return // a further try is allowed, and would wait
	}
	s.conn.SetDeadline(time.Now().Add(shorter))
	writeErr, writeAgain := s.write(), s.write()
	s.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	readErr := s.drain()
	readAgain := s.drain()
	if writeErr == nil && timedOut(readErr) {
		s.wrong("%v, but both directions go on", s.err)
	}
	for _, pair := range [][2]error{{readErr, readAgain}, {writeErr, writeAgain}} {
		switch first, second := pair[0], pair[1]; {
		case first == nil || first == io.EOF && second == io.EOF:
		case !typed(first):
			s.wrong("afterwards: an error of no type: %v", first)
		case second == nil || first.Error() != second.Error():
			s.wrong("the same call gives %v, then %v", first, second)
		}
	}
}

func (s *side) write() error {
	n, err := s.conn.Write(pattern[len(s.sent)%len(sentence):][:1])
	s.sent = append(s.sent, pattern[len(s.sent)%len(sentence):][:n]...)
	return err
}

// drain reads until there is an error.
func (s *side) drain() error {
	for buf := make([]byte, 16); ; {
		n, err := s.conn.Read(buf)
		s.got = append(s.got, buf[:n]...)
		if err != nil {
			return err
		}
	}
}

// neverComplete: a handshake that has failed leaves nothing that works.
func (s *side) neverComplete() {
	_, readErr := s.conn.Read(make([]byte, 1))
	_, writeErr := s.conn.Write([]byte{1})
	for what, err := range map[string]error{"Handshake": s.conn.Handshake(), "Read": readErr, "Write": writeErr,
		"KeyUpdate": s.conn.KeyUpdate(false), "Renegotiate": s.conn.Renegotiate(background())} {
		if err == nil || err.Error() != s.err.Error() {
			s.wrong("the handshake has failed by %v, but %s gives %v", s.err, what, err)
		}
	}
	if err := s.conn.CloseWrite(); err == nil || !typed(err) {
		s.wrong("the handshake has failed, but CloseWrite gives %v", err)
	}
	if s.conn.ConnectionState().HandshakeComplete || s.state.Version != 0 {
		s.wrong("the handshake has failed, but the state is that of a connection: %+v", s.state)
	}
}

func (s *side) close() {
	begin := time.Now()
	if err := s.conn.Close(); err != nil && !typed(err) {
		s.wrong("Close: %v", err)
	}
	if took := time.Since(begin); took > slack {
		s.wrong("Close took %v", took)
	}
	if err := s.conn.Close(); err != net.ErrClosed {
		s.wrong("the second Close: %v", err)
	}
	if _, err := s.conn.Read(make([]byte, 1)); err == nil || err == io.EOF {
		s.wrong("Read after Close: %v", err)
	}
	if _, err := s.conn.Write(make([]byte, 1)); err == nil {
		s.wrong("Write after Close takes a byte")
	}
}

// typed reports whether err can be told from others by its type.
func typed(err error) bool {
	var (
		network   net.Error
		handshake *tls.HandshakeError
	)
	return errors.As(err, &network) || errors.As(err, &handshake) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrShortWrite) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}

// connect runs both sides over l, in the bubble that it is called in.
func (f *flow) connect(l *link, b bound) (client, server *side) {
	client = &side{wire: l.end(wire.Client), steps: f.client, bound: b}
	server = &side{wire: l.end(wire.Server), steps: f.server, bound: b}
	client.conn = tls.Client(client.wire, f.pair[0])
	server.conn = tls.Server(server.wire, f.pair[1])
	done := make(chan struct{})
	go func() { defer close(done); server.run() }()
	client.run()
	<-done
	return client, server
}

// honest runs the flow undisturbed, and demands all of it.
func (f *flow) honest(t *testing.T) (client, server *side) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { client, server = f.connect(newLink(fault{}), byTimeout) })
	return client, server
}

// common is what must hold whatever the fault.
func (f *flow) common(c, s *side) (wrong []string) {
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	for i, x := range []*side{c, s} {
		who, peer := [...]string{"client", "server"}[i], [...]*side{s, c}[i]
		for _, w := range x.after {
			add("%s: %s", who, w)
		}
		if !bytes.HasPrefix(peer.sent, x.got) {
			add("%s has got %q, which is no beginning of what was sent, %q", who, x.got, peer.sent)
		}
		switch {
		case x.err == nil && x.done < len(x.steps):
			add("%s has stopped after %d steps without an error", who, x.done)
		case x.err == nil && len(x.got) != len(peer.sent):
			add("%s has got %d of %d bytes, and no error", who, len(x.got), len(peer.sent))
		case x.err == errEarlyEnd:
			if peer.err == nil || x.wire.role != x.wire.link.fault.from {
				add("%s has got a close_notify that nobody has sent", who)
			}
		case x.err != nil && (errors.Is(x.err, io.EOF) || !typed(x.err)):
			add("%s has an error of the wrong type: %T %v", who, x.err, x.err)
		}
	}
	if c.print != "" && s.print != "" && c.print != s.print {
		add("both have completed, but not the same: client: %s, server: %s", c.print, s.print)
	}
	return wrong
}
