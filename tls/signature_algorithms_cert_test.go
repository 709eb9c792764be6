package tls

import (
	"bytes"
	"crypto/x509"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// Of two certificates for the name, the client gets the one whose own signature
// it can verify: signature_algorithms_cert says which, where it is there.
func TestTheCertificateThatTheClientCanVerify(t *testing.T) {
	byRSA, byECDSA := authority("rsa2048").certificate("ecdsa-p256", &x509.Certificate{}), testPKI().certs["ecdsa-p256"]
	server := &Config{Certificates: []Certificate{byRSA, byECDSA}, MaxVersion: VersionTLS12}
	for _, test := range []struct {
		name, schemes string // a SignatureSchemeList, or none
		want          Certificate
	}{
		{"either", "", byRSA},
		{"RSA only", "\x00\x02\x04\x01", byRSA},
		{"ECDSA only", "\x00\x02\x04\x03", byECDSA},
		{"neither, so the first", "\x00\x02\x08\x08", byRSA},
	} {
		hello := capture(t, &Config{ServerName: "example.test", MaxVersion: VersionTLS12})
		if test.schemes != "" {
			setExtension(&hello.Extensions, wire.ExtSignatureAlgsCert, test.schemes)
		}
		if got := certificateFor(t, server, hello); !bytes.Equal(got, test.want.Certificate[0]) {
			t.Errorf("%s: the server sent another certificate", test.name)
		}
	}
}

// certificateFor is the leaf that a TLS 1.2 server sends for a ClientHello.
func certificateFor(t *testing.T, server *Config, hello *wire.ClientHello) []byte {
	t.Helper()
	client, conn := tcpPair(t)
	client.SetDeadline(time.Now().Add(10 * time.Second))
	go Server(conn, server).Handshake()
	if _, err := client.Write(recordOf(wire.ContentHandshake, wire.AppendMessage(nil, hello, wire.Context{}))); err != nil {
		t.Fatal(err)
	}
	_, flight := readRecord(t, client)
	flight = flight[wire.MessageLen(flight):]
	m, err := wire.DecodeMessage(flight[:wire.MessageLen(flight)], wire.Context{Version: wire.TLS12}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m.(*wire.Certificate).Entries[0].DER
}
