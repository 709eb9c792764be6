package tls

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// RSA with PKCS #1 v1.5 is in TLS 1.3 for the keys of clients alone, where both sides name
// it. draft-ietf-tls-tls13-pkcs1 §2.
func TestPKCS1OfClients(t *testing.T) {
	old := []SignatureScheme{PKCS1WithSHA256Legacy, PKCS1WithSHA384Legacy, PKCS1WithSHA512Legacy}
	usual := []SignatureScheme{ECDSAWithP256AndSHA256, PSSWithSHA256}
	for name, x := range map[string]struct {
		version         uint16
		signs, verifies []SignatureScheme // of the client's certificate, and that the server lists
		want            SignatureScheme
	}{
		"both name it":           {VersionTLS13, old[:1], append(old[:1:1], usual...), old[0]},
		"of three":               {VersionTLS13, old, append(old[2:3:3], usual...), old[2]},
		"the client does not":    {VersionTLS13, nil, append(old[:1:1], usual...), PSSWithSHA256},
		"nor anything else":      {VersionTLS13, nil, append(old[:1:1], ECDSAWithP256AndSHA256), 0},
		"the server does not":    {VersionTLS13, old, nil, 0},
		"there is none before":   {VersionTLS12, old, append(old[:1:1], usual...), 0},
		"before, and PKCS #1 is": {VersionTLS12, append(old[:1:1], PKCS1WithSHA256), append(old[:1:1], PKCS1WithSHA256, ECDSAWithP256AndSHA256), PKCS1WithSHA256},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := testPKI().client(), testPKI().server("ecdsa-p256")
			at(x.version, client, server)
			own := testPKI().certs["rsa2048"]
			own.SupportedSignatureAlgorithms = x.signs
			client.Certificates, server.ClientAuth, server.ClientCAs, server.SignatureSchemes = []Certificate{own}, RequestClientCert, testPKI().roots, x.verifies
			c, s := mustConnect(t, client, server)
			exchange(t, c, s)
			if got := SignatureScheme(s.State().ClientSignature); got != x.want {
				t.Errorf("signed with %v, want %v; %s", got, x.want, c.State().ClientCertificateMisfit)
			}
		})
	}
}

// No server signs so, whatever its client offers, and no client offers it.
func TestPKCS1OfClientsIsNotOfServers(t *testing.T) {
	client, server := testPKI().client(), testPKI().server("rsa2048")
	at(VersionTLS13, client, server)
	server.Certificates[0].SupportedSignatureAlgorithms = []SignatureScheme{PKCS1WithSHA256Legacy}
	client.SignatureSchemes = []SignatureScheme{PKCS1WithSHA256Legacy, PSSWithSHA256}
	var offered []wire.SignatureScheme
	client.Trace = traceMessages(func(m wire.Message) {
		if hello, ok := m.(*wire.ClientHello); ok {
			hello.Extensions.Read(wire.ExtSignatureAlgorithms, func(r *wire.Reader) { offered = wire.ReadSignatureAlgorithms(r, nil) })
		}
	})
	if _, _, _, err := connectInMemory(client, server); err == nil || len(offered) != 1 || offered[0] != wire.RSAPSSRSAESHA256 {
		t.Errorf("offered %v: %v", offered, err)
	}
	client.SignatureSchemes = client.SignatureSchemes[:1]
	if _, _, err, _ := connectInMemory(client, server); err == nil || !strings.Contains(err.Error(), "what only clients sign with") {
		t.Errorf("a client that offers nothing else: %v", err)
	}
}
