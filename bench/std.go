package main

import (
	"crypto/tls"
	"net"
	"net/http"
	"slices"
	_ "unsafe" // for linkname

	"github.com/vitrine-tls/vitrine/wire"
)

// crypto/tls cannot be told which TLS 1.3 suite to use, but opens this variable
// to other packages. The rows for AES-256 and ChaCha20 need it.
//
//go:linkname defaultSuites13 crypto/tls.defaultCipherSuitesTLS13
var defaultSuites13 []uint16

// standard is crypto/tls.
func standard(p params) (ends, error) {
	known := func(c *tls.CipherSuite) bool { return c.ID == p.suite }
	switch {
	case !slices.ContainsFunc(tls.CipherSuites(), known):
		return ends{}, unsupported("crypto/tls has no " + wire.CipherSuite(p.suite).String())
	case p.mldsa:
		return ends{}, unsupported("crypto/tls of Go 1.26 has no ML-DSA")
	case p.early:
		return ends{}, unsupported("crypto/tls has no early data but for QUIC")
	case p.compressed:
		return ends{}, unsupported("crypto/tls has no compressed certificates")
	case p.psk != nil:
		return ends{}, unsupported("crypto/tls has no external pre-shared keys")
	case p.tickets == "id":
		return ends{}, unsupported("crypto/tls has no sessions by ID on the server")
	}
	if p.server.MinVersion == tls.VersionTLS13 {
		defaultSuites13 = []uint16{p.suite}
	}
	switch p.tickets {
	case "forget":
		p.client.ClientSessionCache = forgetful{}
	case "use":
		p.client.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	}
	return ends{
		client: func(c net.Conn) conn { return tls.Client(c, p.client) },
		server: func(c net.Conn) conn { return tls.Server(c, p.server) },
		serve: func(l net.Listener, handler http.HandlerFunc) func() {
			s := &http.Server{Handler: handler, TLSConfig: p.server}
			go s.ServeTLS(l, "", "")
			return func() { s.Close() }
		},
	}, nil
}

// forgetful is a cache that makes the client ask for tickets and keeps none:
// connections are all new, and hold no session of each other.
type forgetful struct{}

func (forgetful) Get(string) (*tls.ClientSessionState, bool) { return nil, false }
func (forgetful) Put(string, *tls.ClientSessionState)        {}
