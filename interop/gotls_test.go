package interop

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"slices"

	"github.com/vitrine-tls/vitrine/wire"
)

// gotls is Go's crypto/tls, in this process.
var gotls = &peer{
	Name: "go", Connect: gotlsConnect, Serve: gotlsServe, suites: gotlsList, noEtM: true,
	anySuite: func(c cell, _ wire.Role) bool { return c.Version == wire.TLS13 },
	ServerLacks: map[string]string{
		"ssl3.0": gotlsSSL3, "ffdhe*": gotlsDH, "*x448": "crypto/tls has no X448",
		"key:rsassa-pss": gotlsOther, "re*:rsassa-pss": gotlsOther, "key:ed448": gotlsOther, "re*:ed448": gotlsOther, "key:dsa": gotlsDSA, "re*:dsa": gotlsDSA, "later:*": gotlsLater,
		"resume:id":        "crypto/tls has no session IDs",
		"keyupdate:theirs": noKeyUpdate, "renegotiate:*": "crypto/tls's server does not renegotiate",
		"max-fragment:*": gotlsLimits, "size-limit:*": gotlsLimits, "unsafe": alwaysSecure,
	},
	ClientLacks: map[string]string{
		"ssl3.0": gotlsSSL3, "ffdhe*": gotlsDH, "*x448": "crypto/tls has no X448",
		"key:rsassa-pss": gotlsOther, "re*:rsassa-pss": gotlsOther, "key:ed448": gotlsOther, "re*:ed448": gotlsOther, "key:dsa": gotlsDSA, "re*:dsa": gotlsDSA, "tls1.3+later:*": gotlsLater, "later:dsa": gotlsDSA,
		"resume:id":        "crypto/tls has no session IDs",
		"keyupdate:theirs": noKeyUpdate, "renegotiate:theirs": "crypto/tls's client renegotiates only when asked",
		"max-fragment:*": gotlsLimits, "size-limit:*": gotlsLimits, "unsafe": alwaysSecure,
		"key:rsa-*":     "crypto/tls's client accepts all schemes",
		"retry:*MLKEM*": "crypto/tls's client sends shares of hybrid groups first",
	},
}

const (
	gotlsSSL3   = "crypto/tls has no SSL 3.0"
	gotlsDH     = "crypto/tls has no finite-field Diffie-Hellman"
	gotlsDSA    = "crypto/tls has no DSA"
	gotlsOther  = "crypto/tls has no RSASSA-PSS keys and no Ed448"
	gotlsLater  = "crypto/tls does not ask for or show a certificate midway"
	gotlsLimits = "crypto/tls has no limits on records"
)

// gotlsList are the suites of crypto/tls and the oldest version that it has
// each in.
func gotlsList() map[wire.CipherSuite]wire.Version {
	list := map[wire.CipherSuite]wire.Version{}
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		list[wire.CipherSuite(s.ID)] = wire.Version(slices.Min(s.SupportedVersions))
	}
	return list
}

func gotlsConfig(r *run, groups []wire.NamedGroup) *tls.Config {
	cfg := &tls.Config{
		MinVersion: uint16(r.Version), MaxVersion: uint16(r.Version), CipherSuites: []uint16{uint16(r.Suite)},
		RootCAs: r.pki.pool, ClientCAs: r.pki.pool, ServerName: serverName,
	}
	for _, g := range groups {
		cfg.CurvePreferences = append(cfg.CurvePreferences, tls.CurveID(g))
	}
	if r.ALPN {
		cfg.NextProtos = []string{alpn}
	}
	return cfg
}

// gotlsCert is the certificate, limited to the schemes of the key type.
func gotlsCert(r *run, k keyType) tls.Certificate {
	cert := r.pki.certs[k.base()]
	switch k {
	case keyPKCS1:
		cert.SupportedSignatureAlgorithms = []tls.SignatureScheme{tls.PKCS1WithSHA256, tls.PKCS1WithSHA384}
	case keyPSS:
		cert.SupportedSignatureAlgorithms = []tls.SignatureScheme{tls.PSSWithSHA256, tls.PSSWithSHA384}
	}
	return cert
}

func gotlsServe(r *run) (*server, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	context.AfterFunc(r.ctx, func() { ln.Close() })
	cfg := gotlsConfig(r, r.groups())
	cfg.Certificates = []tls.Certificate{gotlsCert(r, r.Key)}
	cfg.ClientAuth = map[string]tls.ClientAuthType{
		"": tls.NoClientCert, "request": tls.VerifyClientCertIfGiven, "require": tls.RequireAndVerifyClientCert}[r.Auth]
	results := make(chan error, r.connections())
	var list []facts
	go func() {
		for range r.connections() {
			raw, err := ln.Accept()
			if err != nil {
				results <- err
				return
			}
			c := tls.Server(raw, cfg)
			err = c.HandshakeContext(r.ctx)
			if err == nil {
				if _, err = io.Copy(c, c); err == nil {
					list = append(list, gotlsFacts(c))
					err = c.Close()
				}
			}
			results <- err
		}
	}()
	return &server{
		port: ln.Addr().(*net.TCPAddr).Port, talk: r.talkEcho,
		facts: func() ([]facts, error) {
			for range r.connections() {
				if err := <-results; err != nil {
					return nil, fmt.Errorf("crypto/tls's server: %w", err)
				}
			}
			return list, nil
		},
	}, nil
}

func gotlsFacts(c *tls.Conn) facts {
	s := c.ConnectionState()
	return facts{
		"version": wire.Version(s.Version).String(), "suite": wire.CipherSuite(s.CipherSuite).String(),
		"sni": s.ServerName, "reused": yes(s.DidResume), "alpn": s.NegotiatedProtocol,
		"group": wire.NamedGroup(s.CurveID).String(),
	}
}

func gotlsConnect(r *run, port int) ([]facts, error) {
	cfg := gotlsConfig(r, r.clientGroups())
	if r.Renegotiate == "ours" || r.Auth == "later" {
		cfg.Renegotiation = tls.RenegotiateOnceAsClient
	}
	if r.ClientKey != "" {
		cert := gotlsCert(r, r.ClientKey)
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
	}
	if r.Resume != "" {
		cfg.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	}
	var list []facts
	for range r.connections() {
		raw, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return nil, err
		}
		f, err := gotlsTalk(r, tls.Client(raw, cfg))
		if err != nil {
			return nil, fmt.Errorf("crypto/tls's client: %w", err)
		}
		list = append(list, f)
	}
	return list, nil
}

func gotlsTalk(r *run, c *tls.Conn) (facts, error) {
	defer c.Close()
	if err := c.HandshakeContext(r.ctx); err != nil {
		return nil, err
	}
	for range r.rounds() {
		if _, err := c.Write(r.payload); err != nil {
			return nil, err
		}
		if err := expect(c, r.payload); err != nil {
			return nil, err
		}
	}
	if err := c.CloseWrite(); err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		return nil, fmt.Errorf("close: %w", err)
	}
	return gotlsFacts(c), nil
}
