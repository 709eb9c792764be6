package tls

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// A server cannot have a client sign without end: each request costs a signature.
func TestAuthenticationsAreBounded(t *testing.T) {
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	at(VersionTLS13, client, server)
	server.ClientCAs = testPKI().roots
	client.PostHandshakeAuth, client.Certificates = true, []Certificate{testPKI().certs["ecdsa-p256"]}
	c, s := mustConnect(t, client, server)
	failed := make(chan error, 1)
	go func() {
		_, err := c.Read(make([]byte, 1))
		failed <- err
	}()
	for n := 1; ; n++ {
		err := s.RequestClientCertificate(soon(t))
		if err == nil && n <= maxAuthentications {
			continue
		}
		if err == nil || n != maxAuthentications+1 {
			t.Fatalf("request %d: %v", n, err)
		}
		break
	}
	if err := <-failed; err == nil || !strings.Contains(err.Error(), "more often than a client answers") {
		t.Errorf("the client says %v", err)
	}
	// The server hears of it with what it reads next.
	_, err := s.Read(make([]byte, 1))
	if alert := AlertError(0); !errors.As(err, &alert) || alert != AlertError(wire.AlertUnexpectedMessage) {
		t.Errorf("the server hears %v", err)
	}
	text, err := os.ReadFile("../SECURITY.md")
	if want := fmt.Sprintf("| Requests for a client's certificate on a connection | %d |", maxAuthentications); err != nil || !strings.Contains(strings.Join(strings.Fields(string(text)), " "), want) {
		t.Errorf("SECURITY.md does not say %q: %v", want, err)
	}
}

// A Config whose suites and versions do not meet is refused on both sides, before
// anything is sent.
func TestSuitesThatNoVersionHas(t *testing.T) {
	client, server := testPKI().client(), testPKI().server("rsa2048")
	for _, c := range []*Config{client, server} {
		c.MinVersion, c.MaxVersion, c.CipherSuites = VersionTLS10, VersionTLS11, []uint16{TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	}
	for _, err := range []error{Client(nil, client).Handshake(), Server(nil, server).Handshake()} {
		if err == nil || !strings.Contains(err.Error(), "no cipher suite that it allows exists in the versions that it allows, TLS 1.0 to TLS 1.1") {
			t.Errorf("%v", err)
		}
	}
}

// Listen takes what Server takes: also a Config without certificate whose suites
// need none; and nothing else.
func TestListenWithoutCertificate(t *testing.T) {
	psk := &Config{CipherSuites: []uint16{0x00a8}, PSK: PSK{Server: func(string) ([]byte, error) { return []byte("key"), nil }}}
	l, err := Listen("tcp", "127.0.0.1:0", psk)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	for name, c := range map[string]*Config{"nil": nil, "empty": {}, "unusable": {Certificates: testPKI().server("rsa2048").Certificates, MinVersion: VersionTLS13, MaxVersion: VersionTLS12}} {
		if l, err := Listen("tcp", "127.0.0.1:0", c); err == nil {
			l.Close()
			t.Errorf("%s: no error", name)
		}
	}
}
