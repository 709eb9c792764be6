package tls

import (
	"bytes"
	stdtls "crypto/tls"
	"fmt"
	"io"
	"strings"
	"testing"
)

// crypto/tls's client answers a HelloRequest, from inside Read and without data under
// way. We ask it between requests, over and over, at last for its certificate.
func TestRenegotiationWithCryptoTLS(t *testing.T) {
	p := testPKI()
	for _, suite := range []uint16{
		TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
		TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_RSA_WITH_AES_128_CBC_SHA,
	} {
		for _, version := range []uint16{VersionTLS10, VersionTLS11, VersionTLS12} {
			if version != VersionTLS12 && !strings.HasSuffix(CipherSuiteName(suite), "CBC_SHA") {
				continue
			}
			t.Run(fmt.Sprintf("%s/%s", VersionName(version), CipherSuiteName(suite)), func(t *testing.T) {
				t.Parallel()
				kind := "ecdsa-p256"
				if strings.Contains(CipherSuiteName(suite), "RSA_WITH") {
					kind = "rsa2048"
				}
				server, client := p.server(kind), p.client()
				at(version, server, client)
				server.CipherSuites, server.Legacy, server.ClientCAs = []uint16{suite}, weakSuites, p.roots
				client.CipherSuites = server.CipherSuites
				std := toStd(client)
				std.Renegotiation = stdtls.RenegotiateFreelyAsClient
				shown := 0
				std.GetClientCertificate = func(info *stdtls.CertificateRequestInfo) (*stdtls.Certificate, error) {
					cert := p.certs["rsa2048"]
					shown++
					return &cert, info.SupportsCertificate(&cert)
				}
				a, b := tcpPair(t)
				c, s := stdtls.Client(a, std), Server(b, server)
				if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
					t.Fatalf("client: %v\nserver: %v", clientErr, serverErr)
				}
				echoed := make(chan error, 1)
				go func() { _, err := io.Copy(c, c); echoed <- err }()
				for i := range 6 {
					if i < 3 {
						renegotiate(t, s)
					} else if err := ask(t, s); err != nil {
						t.Fatal(err)
					}
					data := newPattern(byte(i)).next(make([]byte, 1+i*10_000))
					go s.Write(data)
					got := make([]byte, len(data))
					if _, err := io.ReadFull(s, got); err != nil || !bytes.Equal(got, data) {
						t.Fatalf("after %d: %v", i+1, err)
					}
					if want := map[bool]string{true: "rsa2048"}[i >= 3]; shownBy(s) != want {
						t.Errorf("after %d the client is %q", i+1, shownBy(s))
					}
				}
				if shown != 3 || s.State().Renegotiations != 6 {
					t.Errorf("asked %d times in %d renegotiations", shown, s.State().Renegotiations)
				}
				s.Close()
				if err := <-echoed; err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// What crypto/tls refuses: a client that was not told to renegotiate says so, and in
// TLS 1.3 it cannot be asked at all.
func TestRefusalsOfCryptoTLS(t *testing.T) {
	server := testPKI().server("ecdsa-p256")
	server.MaxVersion = VersionTLS12
	a, b := tcpPair(t)
	c, s := stdtls.Client(a, toStd(testPKI().client())), Server(b, server)
	if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
		t.Fatal(clientErr, serverErr)
	}
	go c.Read(make([]byte, 1))
	if err := bounded(t, s.Renegotiate); err != ErrNoRenegotiation {
		t.Error(err)
	}
	a, b = tcpPair(t)
	c, s = stdtls.Client(a, toStd(testPKI().client())), Server(b, testPKI().server("ecdsa-p256"))
	if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
		t.Fatal(clientErr, serverErr)
	}
	if err := ask(t, s); err == nil || !strings.Contains(err.Error(), "does not offer") {
		t.Error(err)
	}
	go io.Copy(c, c)
	goesOn(t, s)
}
