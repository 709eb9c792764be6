package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// ownServer is the server that vitrine explain connects to when it is given no
// other.
type ownServer struct {
	listener net.Listener
	running  sync.WaitGroup
}

// sessionBudget is the room for sessions, in bytes; one is enough.
const sessionBudget = 1 << 16

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
	key := devca.ECDSA
	if needsRSA(e.config.CipherSuites) {
		key = devca.RSA
	}
	cert, err := ca.Issue(devca.Leaf{Names: []string{name}, Key: key})
	if err != nil {
		return usagef("--sni: %v", err)
	}
	config := e.config.Clone()
	config.Certificates = []tls.Certificate{cert}
	if e.options.resume == "id" {
		config.Resumption.Store = session.NewMemory(sessionBudget)
	}
	e.config.ServerName, e.config.RootCAs = name, ca.Pool()
	if e.options.clientAuth {
		if err := e.showCertificate(ca, config); err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	e.server = &ownServer{listener: l}
	e.at = target{"127.0.0.1", fmt.Sprint(l.Addr().(*net.TCPAddr).Port)}
	e.name = fmt.Sprintf("%s, vitrine's own server at %s", name, e.at)
	e.trust = fmt.Sprintf("certificate verified for %s, with the throw-away authority", name)
	e.server.running.Go(func() { e.server.serve(config) })
	return nil
}

// showCertificate lets the server ask for a client certificate, and gives our
// client one if it has none.
func (e *explanation) showCertificate(ca *devca.CA, server *tls.Config) error {
	server.ClientAuth = tls.RequireAnyClientCert // --cert may be from anywhere
	if len(e.config.Certificates) > 0 {
		return nil
	}
	cert, err := ca.Issue(devca.Leaf{Names: []string{"vitrine explain"}, Client: true})
	if err != nil {
		return err
	}
	e.config.Certificates = []tls.Certificate{cert}
	server.ClientAuth, server.ClientCAs = tls.RequireAndVerifyClientCert, ca.Pool()
	return nil
}

// needsRSA reports that each of the suites is for an RSA certificate.
func needsRSA(ids []uint16) bool {
	for _, id := range ids {
		if !strings.Contains(wire.CipherSuite(id).String(), "_RSA_WITH_") {
			return false
		}
	}
	return len(ids) > 0
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
			if err := answer(conn); err != nil {
				return // the client sees it from its side
			}
		})
	}
}

// answer answers one HTTP request, and waits for the client's close.
func answer(conn *tls.Conn) error {
	const page = "Hello from behind the glass.\n"
	in := bufio.NewReader(conn)
	if _, err := http.ReadRequest(in); err != nil {
		return err
	}
	_, err := fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(page), page)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in)
	return err
}

func (s *ownServer) close() {
	s.listener.Close()
	s.running.Wait()
}
