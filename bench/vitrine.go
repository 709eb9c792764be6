package main

import (
	stdtls "crypto/tls"
	"net"
	"net/http"

	"github.com/vitrine-tls/vitrine/httptls"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
)

// vitrine is this module's own package tls.
func vitrine(p params) (ends, error) {
	client, err := fromStd(p.client, p.suite)
	if err != nil {
		return ends{}, err
	}
	server, err := fromStd(p.server, p.suite)
	if err != nil {
		return ends{}, err
	}
	server.Resumption.Tickets = 1 // as many as the others send
	switch p.tickets {
	case "forget":
		client.ClientSessionCache = forgetfulCache{}
	case "use":
		client.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	case "id":
		client.ClientSessionCache = tls.NewLRUClientSessionCache(0)
		client.SessionTicketsDisabled, server.SessionTicketsDisabled = true, true
		server.Resumption.Store = session.NewMemory(16 << 20)
	}
	if p.mldsa {
		client.SignatureSchemes = []tls.SignatureScheme{tls.MLDSA44}
	}
	p.modernize(client, server)
	if p.early {
		return earlyEnds(client, server), nil
	}
	if p.psk != nil && p.server.MinVersion < tls.VersionTLS13 {
		client.PSK.Client = func(string) (string, []byte, error) { return pskIdentity, p.psk, nil }
		server.PSK.Server = func(string) ([]byte, error) { return p.psk, nil }
	}
	return ends{
		client: func(c net.Conn) conn { return tls.Client(c, client) },
		server: func(c net.Conn) conn { return tls.Server(c, server) },
		serve: func(l net.Listener, handler http.HandlerFunc) func() {
			s := &httptls.Server{HTTP: &http.Server{Handler: handler}, TLS: server}
			go s.Serve(l)
			return func() { s.Close() }
		},
	}, nil
}

// fromStd names the suite also where it is one of TLS 1.3's, which
// crypto/tls.Config has no field for.
func fromStd(std *stdtls.Config, suite uint16) (*tls.Config, error) {
	c, err := tls.FromStd(std)
	if err == nil {
		c.CipherSuites = []uint16{suite}
	}
	return c, err
}

// forgetfulCache is forgetful for vitrine's sessions.
type forgetfulCache struct{}

func (forgetfulCache) Get(string) (*tls.ClientSessionState, bool) { return nil, false }
func (forgetfulCache) Put(string, *tls.ClientSessionState)        {}
