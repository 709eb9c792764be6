package interop

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"

	"github.com/vitrine-tls/vitrine/wire"
)

// gotls is Go's crypto/tls, in this process.
var gotls = &peer{
	Name: "go", Connect: gotlsConnect, Serve: gotlsServe, noEtM: true,
	anySuite: func(c cell, _ wire.Role) bool { return c.Version == wire.TLS13 },
	ServerLacks: map[string]string{
		"*_CBC_SHA384": noCBCSHA384, "TLS_*_AES_256_CBC_SHA256": noCBCSHA384,
		"resume:id":        "crypto/tls has no session IDs",
		"keyupdate:theirs": noKeyUpdate,
	},
	ClientLacks: map[string]string{
		"*_CBC_SHA384": noCBCSHA384, "TLS_*_AES_256_CBC_SHA256": noCBCSHA384,
		"resume:id":        "crypto/tls has no session IDs",
		"keyupdate:theirs": noKeyUpdate,
		"key:rsa-*":        "crypto/tls's client accepts all schemes",
		"retry:*MLKEM*":    "crypto/tls's client sends shares of hybrid groups first",
	},
}

const noCBCSHA384 = "crypto/tls lacks this CBC suite"

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
