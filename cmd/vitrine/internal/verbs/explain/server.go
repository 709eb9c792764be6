package explain

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
)

// ownServer is the server that vitrine explain connects to when it is given no
// other.
type ownServer struct {
	listener net.Listener
	running  sync.WaitGroup
	further  func(*tls.Conn, context.Context) error // a handshake inside the connection
	outcome  chan error                             // of each connection
}

// sessionBudget is the room for sessions, in bytes; one is enough.
const sessionBudget = 1 << 16

// stage is our own server and its certificates, before it starts.
type stage struct {
	ca     *devca.CA
	leaf   devca.Leaf
	server *tls.Config
}

// serveOwn starts a server on the loopback interface that agrees to all that
// our client offers, and makes our client trust it.
func (e *explanation) serveOwn() error {
	name := e.options.sni
	if name == "" {
		name = "localhost"
	}
	ca, err := devca.New(name)
	if err != nil {
		return err
	}
	e.config.ServerName, e.config.RootCAs = name, ca.Pool()
	s := &stage{ca, devca.Leaf{Names: []string{name}}, e.config.Clone()}
	s.server.Renegotiation = tls.RenegotiateNever
	s.server.CipherSuites = strongestFirst(s.server.CipherSuites) // so that --prefer makes a difference
	if e.options.tls.Resume == "id" {
		s.server.Resumption.Store = session.NewMemory(sessionBudget)
	}
	e.options.takeEarly(s.server)
	if e.options.clientAuth || e.options.tls.PostHandshakeAuth {
		if err := e.showCertificate(s); err != nil {
			return err
		}
	}
	if e.options.fail != "" {
		failures[e.options.fail].change(e.config, s)
	}
	s.leaf.Delegation = e.options.tls.AcceptDelegated
	if err := s.certify(e.serverKeys()); err != nil {
		return report.Usagef("--sni: %v", err)
	}
	if err := s.delegate(e.options.tls.AcceptDelegated); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	e.server = &ownServer{listener: l, further: e.options.furtherHandshake(), outcome: make(chan error, 2)}
	e.at = flags.Target{Host: "127.0.0.1", Port: fmt.Sprint(l.Addr().(*net.TCPAddr).Port)}
	e.name, e.is = e.at.String(), "vitrine's own server"
	e.server.running.Go(func() { e.server.serve(s.server) })
	return nil
}

// strongestFirst is the order of the library's own table.
func strongestFirst(ids []uint16) []uint16 {
	var sorted []uint16
	for _, s := range suite.All() {
		if slices.Contains(ids, uint16(s.ID)) {
			sorted = append(sorted, uint16(s.ID))
		}
	}
	return sorted
}

// serverKeys are the kinds of keys that the server needs: for its suites, or for ML-DSA where
// that is the first signature scheme that is asked for.
func (e *explanation) serverKeys() []devca.KeyType {
	if schemes := e.config.SignatureSchemes; len(schemes) > 0 {
		if key, ok := mldsaKeys[schemes[0]]; ok {
			return []devca.KeyType{key}
		}
	}
	return e.options.tls.CertificateKeys()
}

var mldsaKeys = map[tls.SignatureScheme]devca.KeyType{tls.MLDSA44: devca.MLDSA44, tls.MLDSA65: devca.MLDSA65, tls.MLDSA87: devca.MLDSA87}

// certify gives the server a certificate for each kind of key.
func (s *stage) certify(keys []devca.KeyType) error {
	s.server.Certificates = nil // which were the client's
	for _, key := range keys {
		s.leaf.Key = key
		cert, err := s.ca.Issue(s.leaf)
		if err != nil {
			return err
		}
		s.server.Certificates = append(s.server.Certificates, cert)
	}
	return nil
}

// delegate has the server sign with a delegated key, where the client takes that.
func (s *stage) delegate(taken bool) error {
	if !taken {
		return nil
	}
	holder := new(tls.Delegates)
	var all []*tls.DelegatedCredential
	for i := range s.server.Certificates {
		d, err := tls.NewDelegate(&s.server.Certificates[i], time.Now(), 24*time.Hour)
		if err != nil {
			return err
		}
		all = append(all, d)
	}
	holder.Set(all...)
	s.server.Delegation = tls.Delegation{Get: holder.For}
	return nil
}

// showCertificate lets the server ask for a client certificate, and gives our
// client one if it has none.
func (e *explanation) showCertificate(s *stage) error {
	ask := tls.RequireAnyClientCert // --cert may be from anywhere
	if len(e.config.Certificates) == 0 {
		cert, err := s.ca.Issue(devca.Leaf{Names: []string{"vitrine explain"}, Client: true, Key: e.options.tls.ClientKey()})
		if err != nil {
			return err
		}
		e.config.Certificates = []tls.Certificate{cert}
		ask, s.server.ClientCAs = tls.RequireAndVerifyClientCert, s.ca.Pool()
	}
	if e.options.clientAuth {
		s.server.ClientAuth = ask
	}
	if e.options.tls.PostHandshakeAuth { // which up to TLS 1.2 is a renegotiation
		e.config.Renegotiation = tls.RenegotiateFreelyAsClient
	}
	return nil
}

// furtherHandshake is what the server does when a request has come in, as it
// would for a page that needs it; nil for nothing.
func (o *options) furtherHandshake() func(*tls.Conn, context.Context) error {
	switch {
	case o.tls.PostHandshakeAuth:
		return (*tls.Conn).RequestClientCertificate
	case o.tls.Renegotiate == "server":
		return (*tls.Conn).Renegotiate
	}
	return nil
}

// serve serves one connection after another until the listener is closed.
func (s *ownServer) serve(config *tls.Config) {
	for {
		raw, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.running.Go(func() {
			conn := tls.Server(raw, config)
			defer conn.Close()
			s.outcome <- s.answer(conn)
		})
	}
}

// answer answers one HTTP request, and waits for the client's close.
func (s *ownServer) answer(conn *tls.Conn) error {
	const page = "Hello from behind the glass.\n"
	from, err := listenEarly(conn)
	if err != nil {
		return err
	}
	in := bufio.NewReader(from)
	if _, err := http.ReadRequest(in); err != nil {
		return err
	}
	if s.further != nil {
		if err := s.further(conn, context.Background()); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(page), page)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in)
	return err
}

// ended waits for the end of the connection on the server's side, which ours has
// closed, and returns why it failed. A server of others tells nothing.
func (s *ownServer) ended() error {
	if s == nil {
		return nil
	}
	return <-s.outcome
}

// unsaid is why our server refused, in words that no alert has; empty if it was
// not the server that did.
func unsaid(err error) []string {
	h, ok := errors.AsType[*tls.HandshakeError](err)
	if !ok || h.Received || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	words := "what the alert does not say: " + report.Sentence(h)
	if h.What != "" {
		words += "; " + offers(h)
	}
	return []string{terminal.Printable(words)}
}

// offers says what each side can do, where our server finds nothing in common.
func offers(h *tls.HandshakeError) string {
	return "the server accepts " + strings.Join(h.Ours, ", ") + ", and the client offers " + strings.Join(h.Theirs, ", ")
}

func (s *ownServer) close() {
	s.listener.Close()
	s.running.Wait()
}
