package interop

import (
	"bufio"
	stdtls "crypto/tls"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// answering serves HTTP over what upgrade makes of each connection, until the test ends.
func answering(t *testing.T, upgrade func(net.Conn) net.Conn) scan.Target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	open := map[net.Conn]bool{}
	var mu sync.Mutex
	wait.Go(func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[raw] = true
			mu.Unlock()
			wait.Go(func() {
				raw.SetDeadline(time.Now().Add(time.Minute))
				answerHTTP(upgrade(raw))
				raw.Close()
				mu.Lock()
				delete(open, raw)
				mu.Unlock()
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for raw := range open {
			raw.Close()
		}
		mu.Unlock()
		wait.Wait()
	})
	return scan.Target{Address: l.Addr().String(), Name: serverName}
}

func answerHTTP(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if strings.TrimSpace(line) == "" {
			io.WriteString(conn, "HTTP/1.1 204 No Content\r\nServer: here\r\nStrict-Transport-Security: max-age=31536000\r\nConnection: close\r\n\r\n")
			return
		}
	}
}

func gotlsServer(name string, change func(*stdtls.Config, *pki)) scanRow {
	return ofOurs("crypto/tls: "+name, func(t *testing.T) scan.Target {
		material, err := shared()
		if err != nil {
			t.Fatal(err)
		}
		config := &stdtls.Config{Certificates: []stdtls.Certificate{material.certs[keyP256]}}
		change(config, material)
		return answering(t, func(raw net.Conn) net.Conn { return stdtls.Server(raw, config) })
	})
}

func vitrineServer(name string, change func(*tls.Config, *pki)) scanRow {
	return ofOurs("vitrine: "+name, func(t *testing.T) scan.Target {
		material, err := shared()
		if err != nil {
			t.Fatal(err)
		}
		config := &tls.Config{Certificates: []tls.Certificate{material.certs[keyRSA], material.certs[keyP256]}}
		change(config, material)
		return answering(t, func(raw net.Conn) net.Conn { return tls.Server(raw, config) })
	})
}

func ofOurs(name string, here func(*testing.T) scan.Target) scanRow {
	return scanRow{clearServer: clearServer{name: name}, here: here}
}

var scanOurs = []scanRow{
	gotlsServer("as it is", func(c *stdtls.Config, p *pki) { c.MinVersion = stdtls.VersionTLS12 }).says(`
TLS 1.3: server, in part: AES_128_GCM_SHA256 AES_256_GCM_SHA384 CHACHA20_POLY1305_SHA256
TLS 1.2: server, in part: ECDHE_ECDSA_WITH_AES_128_CBC_SHA ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 ECDHE_ECDSA_WITH_AES_256_CBC_SHA ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
software: here
trusted: yes
keys: ECDSA, P-256
`).finding("suites-cbc", "no-hybrid no-hsts no-ems"),
	gotlsServer("TLS 1.0 to 1.2, old suites, demands a certificate", func(c *stdtls.Config, p *pki) {
		c.MinVersion, c.MaxVersion, c.ClientAuth, c.ClientCAs = stdtls.VersionTLS10, stdtls.VersionTLS12, stdtls.RequireAndVerifyClientCert, p.pool
		c.Certificates = []stdtls.Certificate{p.certs[keyRSA]}
		c.CipherSuites = []uint16{stdtls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, stdtls.TLS_RSA_WITH_AES_128_CBC_SHA, stdtls.TLS_RSA_WITH_RC4_128_SHA}
		c.SessionTicketsDisabled = true
	}).says(`
TLS 1.2: server: RSA_WITH_AES_128_CBC_SHA RSA_WITH_3DES_EDE_CBC_SHA RSA_WITH_RC4_128_SHA
TLS 1.1: server: RSA_WITH_AES_128_CBC_SHA RSA_WITH_3DES_EDE_CBC_SHA RSA_WITH_RC4_128_SHA
TLS 1.0: server: RSA_WITH_AES_128_CBC_SHA RSA_WITH_3DES_EDE_CBC_SHA RSA_WITH_RC4_128_SHA
client certificate: required
`).finding("suites-rc4 suites-64bit beast tls10 tls11 suites-no-forward-secrecy", "no-tls12"),
	vitrineServer("as it is", func(c *tls.Config, p *pki) { c.Certificates = c.Certificates[:1] }).says(`
TLS 1.3: server, in part: AES_128_GCM_SHA256 AES_256_GCM_SHA384 CHACHA20_POLY1305_SHA256
TLS 1.2: server, in part: ECDHE_RSA_WITH_AES_128_GCM_SHA256 ECDHE_RSA_WITH_AES_256_GCM_SHA384 ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
trusted: yes
renegotiation by the client: no
`).finding("", "suites-cbc suites-no-forward-secrecy no-hybrid no-ems no-hsts suites-order"),
	vitrineServer("every door open", func(c *tls.Config, p *pki) {
		c.MinVersion, c.MaxVersion = uint16(wire.SSL30), uint16(wire.TLS12)
		c.Certificates = c.Certificates[:1]
		c.Legacy = tls.Legacy{RSAKeyExchange: true, SSL30: true, SSL2Hello: true, DES: true, TripleDES: true, RC4: true, NullCiphers: true, Anonymous: true,
			MD5: true, Compression: true, SmallDH: true, SHA1Signatures: true, NoExtendedMasterSecret: true, NoEncryptThenMAC: true}
		for _, s := range []wire.CipherSuite{wire.TLS_RSA_WITH_RC4_128_MD5, wire.TLS_RSA_WITH_DES_CBC_SHA, wire.TLS_RSA_WITH_NULL_SHA, wire.TLS_DH_anon_WITH_AES_128_CBC_SHA} {
			if suite.ByID(s) != nil {
				c.CipherSuites = append(c.CipherSuites, uint16(s))
			}
		}
		c.Resumption.Store = session.NewMemory(1 << 20)
	}).says(`
TLS 1.2: server: RSA_WITH_RC4_128_MD5 RSA_WITH_NULL_SHA DH_anon_WITH_AES_128_CBC_SHA
TLS 1.1: server: RSA_WITH_RC4_128_MD5 RSA_WITH_DES_CBC_SHA RSA_WITH_NULL_SHA DH_anon_WITH_AES_128_CBC_SHA
TLS 1.0: server: RSA_WITH_RC4_128_MD5 RSA_WITH_DES_CBC_SHA RSA_WITH_NULL_SHA DH_anon_WITH_AES_128_CBC_SHA
SSL 3.0: server: RSA_WITH_RC4_128_MD5 RSA_WITH_DES_CBC_SHA RSA_WITH_NULL_SHA DH_anon_WITH_AES_128_CBC_SHA
extended master secret: no
encrypt-then-MAC: no
TLS compression: DEFLATE
session IDs: yes; taken again
`).finding("ssl3 tls10 tls11 suites-rc4 suites-des suites-null suites-anon no-ems compression", "ssl2 no-tls12"),
}
