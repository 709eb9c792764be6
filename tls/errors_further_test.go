package tls

import (
	"context"
	"io"
	"net"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// misused are Configs that cannot work, each on one side.
func misused() (out []alien) {
	add := func(name string, role wire.Role, set func(*Config)) {
		out = append(out, alien{name: "Config: " + name, run: func() (clientErr, serverErr error) {
			a, b := net.Pipe()
			defer a.Close()
			defer b.Close()
			if role == wire.Client {
				return sideOf(Client, a, testPKI().client(), set).Handshake(), nil
			}
			return nil, sideOf(Server, b, testPKI().server("rsa2048"), set).Handshake()
		}})
	}
	lists := func(names ...string) func(*Config) {
		return func(c *Config) { c.CipherSuites = suitesNamed(names...) }
	}
	add("SSL 3.0 is off", wire.Client, func(c *Config) { c.MinVersion = uint16(wire.SSL30) })
	add("versions that are off", wire.Server, func(c *Config) { c.MaxVersion = VersionTLS11 })
	add("a suite is off", wire.Client, lists("TLS_RSA_WITH_AES_128_CBC_SHA"))
	add("a suite is off for several reasons", wire.Client, lists("TLS_RSA_WITH_RC4_128_MD5"))
	add("a suite that is not there", wire.Server, func(c *Config) { c.CipherSuites = []uint16{0x0007} })
	add("DSA on a server", wire.Server, lists("TLS_DHE_DSS_WITH_AES_128_CBC_SHA"))
	add("no keys", wire.Client, lists("TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256"))
	add("no keys", wire.Server, lists("TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256"))
	add("a small group", wire.Client, func(c *Config) { c.DHE.MinBits = 1024 })
	add("a long name", wire.Client, func(c *Config) { c.ServerName = strings.Repeat("a", 256) })
	add("a record limit", wire.Client, func(c *Config) { c.Record.SizeLimit = 10 })
	add("a fragment length", wire.Client, func(c *Config) { c.Record.MaxFragmentLength = 1000 })
	return out
}

// disagreeing are handshakes of old versions and key exchanges that fail.
func disagreeing() (out []alien) {
	add := func(name string, set func(client, server *Config)) {
		out = append(out, alien{name: name, run: func() (clientErr, serverErr error) {
			client, server := testPKI().client(), testPKI().server("rsa2048")
			for _, c := range []*Config{client, server} {
				c.Legacy = weakSuites
				c.Legacy.SSL30 = true
				at(VersionTLS12, c)
			}
			set(client, server)
			_, _, clientErr, serverErr = connectInMemory(client, server)
			return clientErr, serverErr
		}})
	}
	suites := func(name string, configs ...*Config) {
		for _, c := range configs {
			c.CipherSuites = suitesNamed(name)
		}
	}
	add("an old server", func(c, s *Config) { at(VersionTLS10, s) })
	add("an old client", func(c, s *Config) { at(uint16(wire.SSL30), c) })
	add("a client certificate is required in TLS 1.2", func(_, s *Config) { s.ClientAuth = RequireAnyClientCert })
	add("the group is too small", func(c, s *Config) {
		suites("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", c, s)
		c.DHE.MinBits = 4096
		c.CurvePreferences = []CurveID{CurveID(wire.GroupFFDHE2048)}
	})
	add("the pre-shared keys differ", func(c, s *Config) {
		suites("TLS_PSK_WITH_AES_128_GCM_SHA256", c, s)
		c.PSK.Client = func(string) (string, []byte, error) { return "me", []byte("a key"), nil }
		s.PSK.Server = func(string) ([]byte, error) { return []byte("another"), nil }
	})
	add("PSK.Client fails", func(c, s *Config) {
		suites("TLS_PSK_WITH_AES_128_GCM_SHA256", c, s)
		c.PSK.Client = func(string) (string, []byte, error) { return "", nil, errMine }
		s.PSK.Server = func(string) ([]byte, error) { return nil, nil }
	})
	add("PSK.Server fails", func(c, s *Config) {
		suites("TLS_PSK_WITH_AES_128_GCM_SHA256", c, s)
		c.PSK.Client = func(string) (string, []byte, error) { return "me", []byte("a key"), nil }
		s.PSK.Server = func(string) ([]byte, error) { return nil, errMine }
	})
	add("anonymous and certified", func(c, s *Config) {
		suites("TLS_ECDH_anon_WITH_AES_128_CBC_SHA", c)
		suites("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", s)
	})
	return out
}

// later are failures inside a connection: what own's call gives, and what the peer is
// told when it reads.
func later() (out []alien) {
	add := func(name string, version uint16, own wire.Role, set func(client, server *Config), f func(own, peer *Conn) error) {
		out = append(out, alien{name: name, run: func() (clientErr, serverErr error) {
			client, server := askable(version)
			client.HandshakeTimeout, server.HandshakeTimeout = 200*time.Millisecond, 200*time.Millisecond
			if set != nil {
				set(client, server)
			}
			c, s, clientErr, serverErr := connectInMemory(client, server)
			if clientErr != nil || serverErr != nil {
				return clientErr, serverErr
			}
			defer c.Close()
			defer s.Close()
			o, p := of(own, c, s)
			err := f(o, p)
			if own == wire.Client {
				return err, nil
			}
			return nil, err
		}})
	}
	background := context.Background()
	renegotiate := func(own, peer *Conn) error {
		go io.Copy(io.Discard, peer)
		return own.Renegotiate(background)
	}
	request := func(own, peer *Conn) error {
		go io.Copy(io.Discard, peer)
		return own.RequestClientCertificate(background)
	}
	add("a renegotiation is declined", VersionTLS12, wire.Client, func(_, s *Config) { s.Renegotiate = Renegotiate{} }, renegotiate)
	add("a renegotiation in TLS 1.3", VersionTLS13, wire.Client, nil, renegotiate)
	add("a renegotiation without RFC 5746", VersionTLS12, wire.Client, nil, func(own, peer *Conn) error {
		own.engine.Result().SecureRenegotiation = false
		return renegotiate(own, peer)
	})
	add("a HelloRequest without an answer", VersionTLS12, wire.Server, nil, func(own, _ *Conn) error { return own.Renegotiate(background) })
	add("a ClientHello without an answer", VersionTLS12, wire.Client, nil, func(own, _ *Conn) error { return own.Renegotiate(background) })
	add("a renegotiation after the end", VersionTLS12, wire.Client, nil, func(own, peer *Conn) error {
		peer.CloseWrite()
		own.Read(make([]byte, 1))
		return own.Renegotiate(background)
	})
	add("the end in a renegotiation", VersionTLS12, wire.Client, nil, func(own, peer *Conn) error {
		peer.CloseWrite()
		return own.Renegotiate(background)
	})
	add("another certificate of the server", VersionTLS12, wire.Client, func(_, s *Config) {
		kinds := []string{"ecdsa-p256", "ecdsa-p384", "ecdsa-p384"}
		s.GetCertificate = func(*ClientHelloInfo) (*Certificate, error) {
			cert := testPKI().certs[kinds[0]]
			kinds = kinds[1:]
			return &cert, nil
		}
	}, renegotiate)
	add("too much data before the answer", VersionTLS12, wire.Server, func(_, s *Config) { s.HandshakeTimeout = 10 * time.Second }, func(own, peer *Conn) error {
		peer.Write(make([]byte, 2<<20))
		return own.Renegotiate(background)
	})
	add("a client asks for a certificate", VersionTLS13, wire.Client, nil, request)
	add("a client that does not offer to be asked", VersionTLS13, wire.Server, func(c, _ *Config) { c.PostHandshakeAuth = false }, request)
	add("no answer to a CertificateRequest", VersionTLS13, wire.Server, nil, func(own, _ *Conn) error { return own.RequestClientCertificate(background) })
	return out
}
