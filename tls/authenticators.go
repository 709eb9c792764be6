package tls

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"sync"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

// Authenticators makes and checks exported authenticators: proofs that one side of a
// connection of TLS 1.3 holds a certificate, beyond those of the handshake. The application
// carries them, in this connection or another way; they are good on this connection alone.
// RFC 9261.
//
//	ours, _ := conn.Authenticators()            one side           the other
//	request, _ := ours.Request("")              -> request
//	                                            <- authenticator   theirs.Answer(request, &cert)
//	shown, err := ours.Check(ctx, request, authenticator)
//
// Each request can be answered and checked once. Servers cannot send one unasked. Any number
// of goroutines may use it at once.
type Authenticators struct {
	conn   *Conn
	result *handshake.Result

	mutex    sync.Mutex
	open     map[string]asked // our requests that had no good answer yet
	answered map[string]bool  // contexts of the peer's requests
}

type asked struct {
	id   []byte // its certificate_request_context
	name string
}

// MaxAuthenticators is how many requests an [Authenticators] may have open, and how many it
// answers.
const MaxAuthenticators = 256

// ErrEmptyAuthenticator is returned by [Authenticators.Check] where the peer has proved that
// it does not want to show a certificate. RFC 9261 §6.
var ErrEmptyAuthenticator = handshake.ErrEmptyAuthenticator

// Authenticated is what the peer has proved.
type Authenticated struct {
	Certificates   []*x509.Certificate // its chain, leaf first
	VerifiedChains [][]*x509.Certificate
	Scheme         SignatureScheme // that it has signed with
}

// Authenticators returns the start of them on c, once the handshake is complete. Requests
// belong to the value that has made them. It fails up to TLS 1.2.
func (c *Conn) Authenticators() (*Authenticators, error) {
	if err := c.Handshake(); err != nil {
		return nil, err
	}
	r := c.engine.Result()
	if !handshake.ProfileOf(r.Version).Updates {
		return nil, &handshake.Error{Rule: "exported authenticators need TLS 1.3 here; this connection has " + r.Version.String(), Ref: "RFC 9261 §7"}
	}
	return &Authenticators{conn: c, result: r, open: map[string]asked{}, answered: map[string]bool{}}, nil
}

// config is the connection's Config for a server's certificate of that name, where it has one.
func (a *Authenticators) config(name string) (*handshake.Config, error) {
	shadow := &Conn{config: a.conn.config, role: a.conn.role}
	if name != "" {
		shadow.config = a.conn.config.Clone()
		shadow.config.ServerName = name
	}
	shadow.flags.set(asksLater)
	return shadow.resolveFurther()
}

// Request makes a request for the peer. name is the server that a client wants to see proved,
// empty for the name that it has connected to; a server's is empty.
func (a *Authenticators) Request(name string) ([]byte, error) {
	if name != "" && a.conn.role == wire.Server {
		return nil, &handshake.Error{Rule: "a server asks for an authenticator without a name", Ref: "RFC 9261 §4"}
	}
	h, err := a.config(name)
	if err != nil {
		return nil, err
	}
	id := make([]byte, 32)
	rand.Read(id)
	request := handshake.ExportedRequest(a.conn.role, h, id, name)
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if len(a.open) >= MaxAuthenticators {
		return nil, &handshake.Error{Rule: "256 requests for authenticators have no answer yet"}
	}
	a.open[string(request)] = asked{id, name}
	return request, nil
}

// Name returns the server's name that a client's request is about, empty for that of the
// connection. It comes from the peer.
func (a *Authenticators) Name(request []byte) (string, error) {
	h, err := a.config("")
	if err != nil {
		return "", err
	}
	_, name, err := handshake.ReadExportedRequest(a.conn.role, h, a.result, request)
	return name, err
}

// Answer makes the authenticator for a request of the peer, by cert: its chain and its key.
// nil proves that there is none to show. A request is answered once.
func (a *Authenticators) Answer(request []byte, cert *Certificate) ([]byte, error) {
	h, err := a.config("")
	if err != nil {
		return nil, err
	}
	id, _, err := handshake.ReadExportedRequest(a.conn.role, h, a.result, request)
	if err != nil {
		return nil, err
	}
	if err := a.take(string(id)); err != nil {
		return nil, err
	}
	out, err := handshake.AnswerExported(a.conn.role, h, a.result, request, cert)
	if err != nil {
		a.mutex.Lock()
		delete(a.answered, string(id)) // nothing was shown
		a.mutex.Unlock()
	}
	return out, err
}

func (a *Authenticators) take(id string) error {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	switch {
	case a.answered[id]:
		return &handshake.Error{Rule: "this request for an authenticator was answered already", Ref: "RFC 9261 §5.2"}
	case len(a.answered) >= MaxAuthenticators:
		return &handshake.Error{Rule: "256 requests for authenticators were answered on this connection; it answers no more"}
	}
	a.answered[id] = true
	return nil
}

// Check judges the peer's answer to a request of ours. The certificate is verified as in
// the handshake, VerifyPeerCertificate and VerifyConnection included; a client's by what
// LaterClientAuth demands. An answer that proves something is taken once; one that proves
// that there is nothing to show is ErrEmptyAuthenticator.
func (a *Authenticators) Check(ctx context.Context, request, authenticator []byte) (*Authenticated, error) {
	a.mutex.Lock()
	q, ok := a.open[string(request)]
	a.mutex.Unlock()
	if !ok {
		return nil, errNotOpen
	}
	h, err := a.config(q.name)
	if err != nil {
		return nil, err
	}
	r, err := handshake.CheckExported(ctx, a.conn.role, h, a.result, q.id, request, authenticator)
	if err != nil && err != ErrEmptyAuthenticator {
		return nil, err
	}
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if _, ok := a.open[string(request)]; !ok { // another call was faster
		return nil, errNotOpen
	}
	delete(a.open, string(request))
	if err != nil {
		return nil, err
	}
	scheme := r.ServerScheme
	if a.conn.role == wire.Server {
		scheme = r.ClientScheme
	}
	return &Authenticated{Certificates: r.Peer.Certificates, VerifiedChains: r.Peer.Chains, Scheme: SignatureScheme(scheme)}, nil
}

var errNotOpen = &handshake.Error{Rule: "this request for an authenticator is not one of ours, or has had its answer", Ref: "RFC 9261 §7.4"}
