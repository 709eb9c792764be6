package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/proxy/access"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/starttls/front"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// A link is one connection of a client, and what it is linked to.
type link struct {
	About  event.Connection
	p      *Proxy
	socket *socket
	door   *door
	local  net.Addr // where the client connected to, as far as is known
	key    netip.Addr
	client net.Conn // the socket, and later TLS on it
	hello  *hello   // nil where nobody has looked

	ftp   *front.FTP        // nil for other protocols
	shown *shownCertificate // nil where no target is told of it

	accepted bool // the hooks know of it
	direct   bool // TLS came first, where STARTTLS could have

	mutex  sync.Mutex
	server net.Conn // nil before there is one
	at     *place   // the target's address
	cause  error    // why the link was cut
	cutOff bool
	cancel context.CancelFunc // of reaching for the target, or of all requests; nil before
	// Of HTTP mode: the first request has not come yet, net/http has the connection, why the
	// handshake failed, and the rules that have let the client in.
	arriving, delivered atomic.Bool

	failed   error
	admitted admission

	requests       atomic.Int32 // of HTTP mode, that are under way
	received, sent atomic.Int64
	halves         atomic.Int32 // directions that are not over
	parked         [ways]bool   // have no goroutine; mutex guards it
	idler          *idler       // nil for none
}

// An admission is what a client was judged by: rules can ask for the name of a request.
type admission struct {
	rules *access.Policy
	name  string
}

// refusal is why a connection is turned away after it was accepted.
type refusal struct {
	why event.Reason
	err error
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// serve runs a connection up to where bytes are passed on. Its goroutine ends there: the stack
// of a handshake is larger than a connection needs from then on.
func (l *link) serve() {
	err := l.prepare()
	if err == errPassedOn {
		return
	}
	if err == nil && l.ftp != nil {
		l.relayFTP()
		return
	}
	if err == nil {
		l.relay()
		return
	}
	var no *refusal
	if errors.As(err, &no) {
		l.p.refuse(l.About.Listener, l.About.Peer, no.why, no.err)
	}
	l.end(err)
}

// errPassedOn says that somebody else serves the connection from here on, and ends it.
var errPassedOn = errors.New("passed on")

func (l *link) prepare() error {
	deadline := l.About.At.Add(l.door.handshakeTimeout)
	l.client.SetDeadline(deadline) // of all up to the handshake's end, however slowly bytes come
	if err := l.readHeader(); err != nil {
		return err
	}
	var room bool
	if l.key, room = l.p.limits.enterOf(l.About.Peer); !room {
		return &refusal{event.TooManyOfPeer, fmt.Errorf("%s has as many connections as one address may have", l.About.Peer)}
	}
	l.accepted = true
	if l.p.hooks.Accepted != nil {
		l.p.hooks.Accepted(&l.About)
	}
	if p := l.door.config.StartTLS; p != "" && p != implicitFTP {
		if err := l.greet(); err != nil {
			return err
		}
	}
	if l.door.looks {
		if err := l.look(); err != nil {
			return err
		}
	}
	through := l.door.passthrough(l.hello)
	inner := l.hello != nil && l.hello.inner
	l.hello = nil // nobody asks any more, and a connection may last for days
	if through != nil {
		if inner {
			if err := l.unwrap(); err != nil {
				return err
			}
		}
		return l.open(through)
	}
	if l.door.http != nil {
		l.door.http.take(l)
		return errPassedOn
	}
	if err := l.handshake(); err != nil {
		return err
	}
	if l.direct && l.About.ALPN != postgresALPN { // TLS that was meant for another service, and led here
		return &refusal{event.BadStartTLS, fmt.Errorf("a client that begins with TLS must agree on the protocol %s, and this one has on %q", postgresALPN, l.About.ALPN)}
	}
	r, err := l.choose()
	if err != nil {
		return err
	}
	return l.open(r)
}

// A client of PostgreSQL 17 may begin with TLS at once (sslnegotiation=direct). It must agree on a protocol then.
// https://www.postgresql.org/docs/17/protocol-flow.html#PROTOCOL-FLOW-SSL
const (
	postgres     = "postgres"
	postgresALPN = "postgresql"
)

// greet speaks the protocol of the listener up to the agreement on TLS.
func (l *link) greet() error {
	if l.door.config.StartTLS == postgres {
		// What cannot be read is for Greet to say.
		_ = peek(l.client, 1, func(b []byte) bool {
			l.direct = len(b) > 0 && b[0] == byte(wire.ContentHandshake)
			return len(b) > 0
		})
		if l.direct {
			return nil
		}
	}
	err := front.Greet(context.Background(), l.door.config.StartTLS, l.client, front.Options{}) // the socket's deadline ends it
	if errors.Is(err, front.ErrLeft) {
		return errHandshakeOnly
	}
	if err != nil {
		return &refusal{event.BadStartTLS, err}
	}
	return nil
}

// handshake ends TLS here, where the listener does.
func (l *link) handshake() error {
	if l.door.tls == nil {
		return nil
	}
	raw := l.client
	conn := tls.Server(raw, l.ownTLS())
	l.mutex.Lock()
	l.client = conn
	l.mutex.Unlock()
	began := time.Now()
	err := conn.HandshakeContext(context.Background()) // the socket's deadline ends it
	l.shown = l.door.seen(raw)
	return l.tell(conn, time.Since(began), err)
}

// tell has the hooks know how a handshake ended. It returns err, or errHandshakeOnly.
func (l *link) tell(conn *tls.Conn, took time.Duration, err error) error {
	outcome := event.Handshake{Took: took, Conn: conn, Err: err}
	if err == nil {
		state := conn.ConnectionState()
		outcome.State = &state
		l.mutex.Lock() // requests in early data may be under way
		if !l.cutOff { // the hook that is told of the end reads About
			l.About.ServerName, l.About.ALPN = state.ServerName, state.NegotiatedProtocol
		}
		l.mutex.Unlock()
		if onlyHandshake(state.NegotiatedProtocol) {
			err = errHandshakeOnly
		}
	} else if errors.Is(err, ErrCrowded) {
		l.p.refuse(l.About.Listener, l.About.Peer, event.TooManyWaiting, err)
	} else if errors.Is(err, errNoRoute) {
		l.p.refuse(l.About.Listener, l.About.Peer, event.NoRoute, err)
	}
	if l.p.hooks.Handshaken != nil {
		l.p.hooks.Handshaken(&l.About, outcome)
	}
	return err
}

// errHandshakeOnly ends a connection in good order that wants no target: ACME's are made for
// their handshake (RFC 8737), and a client may leave before TLS.
var errHandshakeOnly = errors.New("no target is wanted")

// unrecognizedName is a fatal alert in a record, as RFC 6066 §3 has it: no record has been agreed on yet.
var unrecognizedName = []byte{byte(wire.ContentAlert), 3, 3, 0, 2, byte(wire.LevelFatal), byte(wire.AlertUnrecognizedName)}

// choose finds the route, and judges the client.
func (l *link) choose() (*route, error) {
	name := l.About.ServerName
	r := l.door.route(name, []string{l.About.ALPN}) // what was agreed on, whatever else the client offers
	if r == nil {
		if l.door.tls == nil && l.door.looks { // the client has begun TLS, and nothing else
			_, _ = l.client.Read(make([]byte, helloRoom)) // its hello, which was looked at: unread it would make a reset of the close
			_, _ = l.client.Write(unrecognizedName)
		}
		return nil, &refusal{event.NoRoute, fmt.Errorf("no route is for the server name %q, and there is no other target", name)}
	}
	var state tls.State // a zero one is judged too: an address can be allowed in the clear
	if conn, is := l.client.(*tls.Conn); is {
		state = conn.State()
	}
	identity, err := r.admit(state, l.About.Peer)
	if err != nil {
		return nil, &refusal{event.NotAllowed, err}
	}
	l.About.Identity = identity
	return r, nil
}

// open reaches for the route's target.
func (l *link) open(r *route) error {
	l.About.Target = r.target.name
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if !l.abortWith(cancel) {
		return l.cause
	}
	began := time.Now()
	conn, at, err := r.target.connect(ctx, l, l.door.spoken())
	if l.p.hooks.Connected != nil {
		outcome := event.Target{Name: r.target.name, Took: time.Since(began), Err: err}
		if at != nil {
			outcome.Address = at.name
		}
		l.p.hooks.Connected(&l.About, outcome)
	}
	if err != nil {
		return err
	}
	l.mutex.Lock()
	l.server, l.at, l.cancel = conn, at, nil
	cutOff := l.cutOff
	l.mutex.Unlock()
	if cutOff { // in between
		return l.cause
	}
	return nil
}

// abortWith has abort and end call cancel, so that nothing waits for a target then. It reports false
// where the link was cut off already.
func (l *link) abortWith(cancel context.CancelFunc) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.cancel = cancel
	return !l.cutOff
}

// reached tells of a target that a request of HTTP mode was to go to.
func (l *link) reached(t event.Target) {
	l.mutex.Lock() // requests may come at the same time
	defer l.mutex.Unlock()
	if l.cutOff { // the hooks that were told of the end read About without the mutex; a dial may end later
		return
	}
	l.About.Target = t.Name
	if l.p.hooks.Connected != nil {
		l.p.hooks.Connected(&l.About, t)
	}
}

// abort cuts the link off: both sides see a reset, not an orderly end.
func (l *link) abort(why error) {
	l.mutex.Lock()
	first := !l.cutOff
	if first {
		l.cutOff, l.cause = true, why
	}
	client, server, cancel := l.client, l.server, l.cancel
	l.mutex.Unlock()
	if first {
		if cancel != nil {
			cancel()
		}
		reset(client)
		if server != nil {
			reset(server)
		}
		l.wakeAll()
	}
}

// end is the one end of a link.
func (l *link) end(err error) {
	l.mutex.Lock()
	client, server, at, cancel := l.client, l.server, l.at, l.cancel
	if l.cutOff {
		err = l.cause
	}
	l.cutOff, l.cause = true, err
	l.mutex.Unlock()
	l.idler.stop()
	if cancel != nil {
		cancel()
	}
	client.Close()
	if server != nil {
		server.Close()
	}
	if at != nil {
		at.leave()
	}
	l.arrive()
	l.p.limits.leaveOf(l.key)
	l.p.limits.leave()
	if errors.Is(err, errHandshakeOnly) {
		err = nil
	}
	if l.accepted && l.p.hooks.Closed != nil {
		l.p.hooks.Closed(&l.About, event.Result{
			Took: time.Since(l.About.At), Received: l.received.Load(), Sent: l.sent.Load(), Err: err,
		})
	}
	l.door.plan.leave()
	l.p.links.remove(l)
}
