package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// watch keeps what happened on one connection, for the checks.
type watch struct {
	mutex            sync.Mutex
	pauses           atomic.Bool // see pausing
	messages         strings.Builder
	peerShowed       bool // a Certificate came, so the session is not resumed
	certificateTypes []byte
	clientType       tls.CertificateType // that the server asks for
	authorities      [][]byte            // that a client names
	client, server   []byte              // traffic secrets of TLS 1.3
	selected         int                 // the credential that signed; -1 is the default one
	saved            *tls.ClientSessionState
	stored           bool   // a session was put into the server's store
	external         string // the identity of the PSK that was picked, in TLS 1.3
	early            string // why early data was not offered, or not taken, or was
	offered, refusal bool   // a client has announced it, the server did not take it
	offersPSK        bool   // the client whose hello came has
}

// directions are BoringSSL's words.
var directions = map[trace.Direction]string{trace.Sent: "write", trace.Received: "read"}

func (w *watch) hooks() *trace.Hooks {
	return &trace.Hooks{
		Message: func(m trace.Message) {
			w.mutex.Lock()
			defer w.mutex.Unlock()
			if m.SSL2 {
				fmt.Fprintf(&w.messages, "%s v2clienthello\n", directions[m.Dir])
				return
			}
			fmt.Fprintf(&w.messages, "%s hs %d\n", directions[m.Dir], m.Raw[0])
			if m.Dir != trace.Received {
				return
			}
			switch wire.HandshakeType(m.Raw[0]) {
			case wire.TypeCertificate, wire.TypeCompressedCertificate:
				w.peerShowed = true
			case wire.TypeServerHello, wire.TypeEncryptedExtensions:
				w.answer(m)
			case wire.TypeCertificateRequest:
				w.request(m)
			case wire.TypeClientHello:
				w.hello(m)
			}
		},
		Inner: w.inner,
		Record: func(r trace.Record) {
			if r.Type != wire.ContentChangeCipherSpec || r.Err != nil {
				return
			}
			w.mutex.Lock()
			defer w.mutex.Unlock()
			fmt.Fprintf(&w.messages, "%s ccs\n", directions[r.Dir])
		},
		Choice: func(c trace.Choice) {
			w.mutex.Lock()
			defer w.mutex.Unlock()
			switch c.What {
			case "pre-shared key":
				w.external = c.Picked
			case "early data":
				w.early = c.Why
				w.offered = w.offered || c.Picked == "offered"
				w.refusal = c.Picked == "refused"
			}
		},
		Alert: func(a trace.Alert) {
			w.mutex.Lock()
			defer w.mutex.Unlock()
			fmt.Fprintf(&w.messages, "%s alert %d %d\n", directions[a.Dir], a.Level, a.Code)
		},
		Secret: w.secret,
	}
}

func (w *watch) secret(s trace.Secret) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	switch s.Name {
	case "client_application_traffic_secret_0":
		w.client = bytes.Clone(s.Value)
	case "server_application_traffic_secret_0":
		w.server = bytes.Clone(s.Value)
	}
}

// hello notes the authorities that a client accepts, which no callback is told.
func (w *watch) hello(m trace.Message) {
	var hello wire.ClientHello
	r := wire.NewReader(bytes.Clone(m.Raw[4:]), nil)
	hello.Parse(&r, m.Context)
	w.offersPSK = hello.Extensions.Has(wire.ExtPreSharedKey)
	hello.Extensions.Read(wire.ExtCertificateAuthorities, func(r *wire.Reader) { w.authorities = wire.ReadAuthorities(r, 3, nil) })
}

// answer notes how the server wants the client's key.
func (w *watch) answer(m trace.Message) {
	var extensions wire.Extensions
	switch parsed, _ := wire.DecodeMessage(m.Raw, m.Context, nil); parsed := parsed.(type) {
	case *wire.ServerHello:
		extensions = parsed.Extensions
	case *wire.EncryptedExtensions:
		extensions = parsed.Extensions
	}
	extensions.Read(wire.ExtClientCertificateType, func(r *wire.Reader) { w.clientType = wire.ReadCertificateType(r) })
}

// request notes the certificate types of a CertificateRequest, which no
// callback is told.
func (w *watch) request(m trace.Message) {
	var request wire.CertificateRequest
	r := wire.NewReader(m.Raw[4:], nil)
	request.Parse(&r, m.Context)
	for _, t := range request.CertificateTypes {
		w.certificateTypes = append(w.certificateTypes, byte(t))
	}
}

// oneSession is a client's cache for one connection: it offers the session of
// the one before, and keeps the newest.
type oneSession struct {
	*watch
	offer *tls.ClientSessionState
}

func (c oneSession) Get(string) (*tls.ClientSessionState, bool) { return c.offer, c.offer != nil }

// Put also gets back the session that was offered, to be offered again: that is no new one.
func (c oneSession) Put(_ string, cs *tls.ClientSessionState) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if cs != nil && !sameTicket(cs, c.offer) {
		c.saved = alone(cs)
	}
}

// alone is a session without those that are kept beside it: the runner counts each.
func alone(cs *tls.ClientSessionState) *tls.ClientSessionState {
	ticket, state, _ := cs.ResumptionState()
	if len(ticket) == 0 {
		return cs
	}
	one, _ := tls.NewResumptionState(ticket, state)
	return one
}

// sameTicket reports whether two sessions, of which offer may be nil, are resumed by one
// ticket. Those without a ticket have an ID, and are never put back.
func sameTicket(cs, offer *tls.ClientSessionState) bool {
	ticket, _, _ := cs.ResumptionState()
	offered, _, _ := offer.ResumptionState()
	return len(ticket) > 0 && bytes.Equal(ticket, offered)
}

// pausing is a connection of which every other Read ends as if a deadline had passed,
// so that the application comes back in the middle of things, as from a socket that
// does not block.
type pausing struct {
	net.Conn
	*watch
	paused bool
}

func (p *pausing) Read(b []byte) (int, error) {
	if p.paused = p.pauses.Load() && !p.paused; p.paused {
		return 0, os.ErrDeadlineExceeded
	}
	return p.Conn.Read(b)
}

// watchedStore notes that a session was put into the server's store.
type watchedStore struct {
	session.Store
	*watch
}

func (s watchedStore) Put(ctx context.Context, key string, blob []byte, expiry time.Time) error {
	s.mutex.Lock()
	s.stored = true
	s.mutex.Unlock()
	return s.Store.Put(ctx, key, blob, expiry)
}
