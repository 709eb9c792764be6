package tls

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/certcompress"
	"github.com/vitrine-tls/vitrine/certcompress/brotli"
	"github.com/vitrine-tls/vitrine/certcompress/zstd"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

var everyCompression = []certcompress.Algorithm{certcompress.Zlib(), brotli.Algorithm(), zstd.Algorithm()}

// compressedBy returns hooks that note by what the certificates came that this side received.
func compressedBy(got *[]wire.CertificateCompression) *trace.Hooks {
	return &trace.Hooks{Message: func(m trace.Message) {
		if m.Dir != trace.Received {
			return
		}
		switch wire.HandshakeType(m.Raw[0]) {
		case wire.TypeCertificate:
			*got = append(*got, 0)
		case wire.TypeCompressedCertificate:
			var c wire.CompressedCertificate
			if wire.Decode(&c, m.Raw[wire.HeaderLen:], m.Context, nil) == nil {
				*got = append(*got, c.Algorithm)
			}
		}
	}}
}

// Both sides' certificates go compressed, by the sender's first algorithm that both have.
func TestCertificateCompression(t *testing.T) {
	p := testPKI()
	for _, a := range everyCompression {
		for _, version := range []uint16{VersionTLS12, VersionTLS13} {
			t.Run(fmt.Sprint(a.ID, "/", VersionName(version)), func(t *testing.T) {
				client, server := p.client(), p.server("rsa2048")
				client.Certificates = []Certificate{p.certs["rsa2048"]}
				client.CertificateCompression = []certcompress.Algorithm{a}
				server.CertificateCompression = append([]certcompress.Algorithm{a}, others(a)...)
				server.ClientAuth, server.ClientCAs = RequireAndVerifyClientCert, p.roots
				client.MaxVersion = version
				var atClient, atServer []wire.CertificateCompression
				client.Trace, server.Trace = compressedBy(&atClient), compressedBy(&atServer)
				c, s := mustConnect(t, client, server)
				want := []wire.CertificateCompression{a.ID}
				if version == VersionTLS12 {
					want[0] = 0
				}
				if fmt.Sprint(atClient) != fmt.Sprint(want) || fmt.Sprint(atServer) != fmt.Sprint(want) {
					t.Errorf("the client got %v, the server %v; want %v", atClient, atServer, want)
				}
				if len(c.State().PeerCertificates) != 1 || len(s.State().PeerCertificates) != 1 {
					t.Error("a certificate is missing")
				}
				exchange(t, c, s)
			})
		}
	}
}

func others(a certcompress.Algorithm) (list []certcompress.Algorithm) {
	for _, b := range everyCompression {
		if a.ID != b.ID {
			list = append(list, b)
		}
	}
	return list
}

// Nobody compresses for a peer that has not asked for it, nor where nothing is gained.
func TestCertificatesThatAreNotCompressed(t *testing.T) {
	p := testPKI()
	for name, set := range map[string]func(client, server *Config){
		"the client takes none": func(client, _ *Config) { client.CertificateCompression = nil },
		"the server has none":   func(_, server *Config) { server.CertificateCompression = nil },
		"nothing in common": func(client, server *Config) {
			client.CertificateCompression, server.CertificateCompression = everyCompression[:1], everyCompression[1:]
		},
		"it would grow": func(_, server *Config) { server.CertificateCompression = []certcompress.Algorithm{growing()} },
	} {
		client, server := p.client(), p.server("ecdsa-p256")
		client.CertificateCompression, server.CertificateCompression = everyCompression, everyCompression
		set(client, server)
		var got []wire.CertificateCompression
		client.Trace = compressedBy(&got)
		c, s := mustConnect(t, client, server)
		if fmt.Sprint(got) != "[zlib]" && fmt.Sprint(got) != fmt.Sprint([]wire.CertificateCompression{0}) || got[0] != 0 {
			t.Errorf("%s: got %v", name, got)
		}
		exchange(t, c, s)
	}
}

// growing is zlib as far as the client knows, and saves nothing.
func growing() certcompress.Algorithm {
	a := certcompress.Zlib()
	a.Compress = func(src []byte) ([]byte, error) { return append(bytes.Clone(src), src...), nil }
	a.ID = wire.CertificateZstd
	return a
}

// What does not inflate to what it says is refused, before a certificate is looked at.
func TestCompressedCertificatesThatLie(t *testing.T) {
	p := testPKI()
	zlib := certcompress.Zlib()
	for name, test := range map[string]struct {
		compress func([]byte) ([]byte, error)
		id       wire.CertificateCompression
		alert    wire.AlertCode
		says     string
	}{
		"a bomb":           {func([]byte) ([]byte, error) { return zlib.Compress(make([]byte, 1<<20)) }, wire.CertificateZlib, wire.AlertBadCertificate, "does not inflate"},
		"shorter":          {func(src []byte) ([]byte, error) { return zlib.Compress(src[:len(src)-1]) }, wire.CertificateZlib, wire.AlertBadCertificate, "less than it says"},
		"longer":           {func(src []byte) ([]byte, error) { return zlib.Compress(append(bytes.Clone(src), 0)) }, wire.CertificateZlib, wire.AlertBadCertificate, "more than it says"},
		"followed by more": {func(src []byte) ([]byte, error) { b, err := zlib.Compress(src); return append(b, 0), err }, wire.CertificateZlib, wire.AlertBadCertificate, "after its end"},
		"not that format":  {func(src []byte) ([]byte, error) { return bytes.Repeat([]byte{7}, 50), nil }, wire.CertificateZlib, wire.AlertBadCertificate, "does not inflate"},
		"of a hundredfold": {func(src []byte) ([]byte, error) { return []byte{1}, nil }, wire.CertificateZlib, wire.AlertBadCertificate, "the most we take is 100"},
		"no certificate":   {func(src []byte) ([]byte, error) { return zlib.Compress(bytes.Repeat([]byte{9}, len(src))) }, wire.CertificateZlib, wire.AlertDecodeError, "does not parse"},
	} {
		client, server := p.client(), p.server("rsa2048")
		client.CertificateCompression = []certcompress.Algorithm{zlib}
		lying := certcompress.Algorithm{ID: test.id, Compress: test.compress, Decompress: zlib.Decompress, Always: true}
		server.CertificateCompression = []certcompress.Algorithm{lying}
		server.Certificates = []Certificate{p.certificate("rsa2048", &x509.Certificate{Subject: pkix.Name{CommonName: name}})} // so that nothing of before is kept
		c, s := tcpPair(t)
		clientConn, serverConn := Client(c, client), Server(s, server)
		done := make(chan error, 1)
		go func() { done <- serverConn.Handshake() }()
		err := clientConn.Handshake()
		clientConn.Close()
		<-done
		if known := new(HandshakeError); !errors.As(err, &known) || known.Alert != test.alert || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An algorithm that was not offered is refused, though the client has it.
func TestCompressionThatWasNotOffered(t *testing.T) {
	p := testPKI()
	client, server := p.client(), p.server("rsa2048")
	list := []certcompress.Algorithm{certcompress.Zlib()}
	client.CertificateCompression, server.CertificateCompression = list, everyCompression
	client.Trace = &trace.Hooks{Message: func(m trace.Message) {
		if wire.HandshakeType(m.Raw[0]) == wire.TypeClientHello {
			list[0].ID = wire.CertificateBrotli // from now on the client has another
		}
	}}
	_, _, err, _ := connect(t, client, server)
	if known := new(HandshakeError); !errors.As(err, &known) || known.Alert != wire.AlertIllegalParameter || !strings.Contains(err.Error(), "not offered") {
		t.Error(err)
	}
}

func TestCompressionsThatCannotBe(t *testing.T) {
	for name, list := range map[string][]certcompress.Algorithm{
		"twice":              {certcompress.Zlib(), certcompress.Zlib()},
		"without a function": {{ID: wire.CertificateZlib, Compress: certcompress.Zlib().Compress}},
	} {
		client := testPKI().client()
		client.CertificateCompression = list
		c, _ := tcpPair(t)
		if err := Client(c, client).Handshake(); err == nil || !strings.Contains(err.Error(), "CertificateCompression has") {
			t.Errorf("%s: %v", name, err)
		}
	}
	server := testPKI().server("ecdsa-p256")
	server.CertificateCompression = []certcompress.Algorithm{{ID: wire.CertificateZlib, Decompress: certcompress.Zlib().Decompress,
		Compress: func([]byte) ([]byte, error) { return nil, errors.New("out of order") }}}
	client := testPKI().client()
	client.CertificateCompression = everyCompression
	if _, _, _, err := connect(t, client, server); err == nil || !strings.Contains(err.Error(), "out of order") {
		t.Error(err)
	}
}

// What compressing a chain gave is kept, and compressing again costs a digest.
func TestCompressedChainsAreKept(t *testing.T) {
	p, calls := testPKI(), 0
	zlib := certcompress.Zlib()
	counting := zlib
	counting.Compress = func(src []byte) ([]byte, error) { calls++; return zlib.Compress(src) }
	client, server := p.client(), p.server("rsa2048")
	client.CertificateCompression, server.CertificateCompression = []certcompress.Algorithm{zlib}, []certcompress.Algorithm{counting}
	server.Certificates = []Certificate{p.certificate("rsa2048", &x509.Certificate{Subject: pkix.Name{CommonName: "kept"}})}
	for range 5 {
		c, s := mustConnect(t, client, server)
		exchange(t, c, s)
	}
	if calls != 1 {
		t.Errorf("compressed %d times", calls)
	}
}
