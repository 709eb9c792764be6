package explain

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/certcompress"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

var recordAnew = flag.Bool("record", false, "make the accounts in testdata of new connections; -update must follow")

// A moment is a connection with something that an account must tell of.
type moment struct {
	name string
	// kept: the account of the client becomes testdata/live-*.json, which
	// TestReplay reads.
	kept    bool
	suite   string // empty for any
	version wire.Version
	change  func(*testing.T, *pair)
	before  func(*tls.Conn) error // at the client, before it speaks
	want    func(Summary) bool
	says    []string
}

var moments = []moment{
	{name: "tls10-rsa-rc4", kept: true, suite: "TLS_RSA_WITH_RC4_128_SHA", version: wire.TLS10,
		want: func(s Summary) bool { return s.KeyExchange == "RSA" },
		says: []string{"(RC4 NOMORE)", "(static RSA)", "TLS 1.0 is deprecated", "HMAC-SHA-1 then RC4-128", "RSA: the client invents the premaster secret",
			"its first two bytes are the version of its hello, TLS 1.0"}},
	{name: "tls10-cbc", suite: "TLS_RSA_WITH_AES_128_CBC_SHA", version: wire.TLS10,
		change: func(_ *testing.T, p *pair) { p.client.Legacy.NoEncryptThenMAC = true },
		want:   func(s Summary) bool { return s.KeyExchange == "RSA" },
		says: []string{"The first byte stands alone", "(BEAST)", "= the iv of the key block", "= the last block of the record before",
			`"hello" · 5 bytes · 2 records`, "client_write_IV[16]"}},
	{name: "ssl30", kept: true, suite: "TLS_RSA_WITH_3DES_EDE_CBC_SHA", version: wire.SSL30,
		change: func(_ *testing.T, p *pair) { p.server.ClientAuth = tls.RequestClientCert },
		want:   func(s Summary) bool { return s.Version == "SSL 3.0" && !s.ClientAuth },
		says: []string{"(POODLE)", "(Sweet32)", "SSL 3.0's MAC with SHA-1", "no_certificate", "The client has no certificate to show",
			`MD5(premaster_secret + SHA("A" + premaster_secret + client_random + server_random))`, `"CLNT"`, "sha_hash", "RFC 6101 §5.6.9"}},
	{name: "tls11-dhe-rsa", kept: true, suite: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", version: wire.TLS11,
		want: func(s Summary) bool { return s.DHBits == 2048 && s.SignatureScheme == "rsa_pkcs1_md5_sha1" },
		says: []string{"ffdhe2048 of RFC 7919, 2,048 bits", "DHE: ServerKeyExchange and ClientKeyExchange each carry a fresh Diffie-Hellman public key",
			"AES-128-CBC then HMAC-SHA-1", "dh_Ys", "dh_Yc", "signature: verified again"}},
	{name: "tls12-psk", kept: true, suite: "TLS_PSK_WITH_AES_128_GCM_SHA256", version: wire.TLS12,
		want: func(s Summary) bool { return s.PSKIdentity == "alice@example.com" },
		says: []string{`hint "whose key?"`, `identity "alice@example.com"`, "zeros, as many as psk has bytes", "no forward secrecy: anyone who gets the pre-shared key later",
			"length of other_secret (2 bytes) + other_secret + length of psk (2 bytes) + psk"}},
	{name: "tls12-rsa-psk", kept: true, suite: "TLS_RSA_PSK_WITH_AES_128_CBC_SHA256", version: wire.TLS12,
		want: func(s Summary) bool { return s.KeyExchange == "RSA_PSK" },
		says: []string{"premaster secret, encrypted with the server's RSA key", "other_secret", "the premaster secret is made of these bytes and the pre-shared key"}},
	{name: "tls12-ecdhe-psk", kept: true, suite: "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256", version: wire.TLS12,
		want: func(s Summary) bool { return s.KeyExchange == "ECDHE_PSK" && s.Group == "x25519" },
		says: []string{`hint "whose key?" · x25519`, "which needs no signature", "the premaster secret is made of the secret computed from both, and the pre-shared key"}},
	{name: "tls12-dh-anon", kept: true, suite: "TLS_DH_anon_WITH_AES_128_GCM_SHA256", version: wire.TLS12,
		want: func(s Summary) bool { return s.KeyExchange == "DH_anon" && s.SignatureScheme == "" },
		says: []string{"nobody is authenticated", "and nobody signs"}},
	{name: "tls12-null", suite: "TLS_RSA_WITH_NULL_SHA256", version: wire.TLS12,
		want: func(s Summary) bool { return s.Complete },
		says: []string{"HMAC-SHA-256 alone: nothing is encrypted", "everything after it has a MAC, and is not encrypted", "(NULL cipher)"}},
	{name: "tls12-renegotiation", kept: true, suite: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", version: wire.TLS12,
		change: func(t *testing.T, p *pair) {
			withClientCertificate(t, p)
			p.client.Renegotiation = tls.RenegotiateOnceAsClient
			p.serve = askForCertificate
		},
		before: readOne,
		want:   func(s Summary) bool { return s.Renegotiations == 1 && s.ClientAuth },
		says: []string{"HelloRequest", "renegotiation_info: it repeats the client's Finished of the handshake before", "renegotiation_info: it repeats both Finished",
			"1 renegotiation", "everything after it uses new keys", "epoch 2", "renegotiation: ECDHE again"}},
	{name: "tls13-late-client-auth", kept: true, suite: "TLS_AES_128_GCM_SHA256", version: wire.TLS13,
		change: func(t *testing.T, p *pair) {
			withClientCertificate(t, p)
			p.client.PostHandshakeAuth = true
			p.serve = askForCertificate
		},
		before: readOne,
		want:   func(s Summary) bool { return s.LateClientAuth && s.ClientAuth },
		says: []string{"the server asked for a client certificate after the handshake, and got it", `HKDF-Expand-Label(client_application_traffic_secret_0, "finished"`,
			"now that the connection is in use"}},
	{name: "tls12-deflate", kept: true, suite: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", version: wire.TLS12,
		change: func(_ *testing.T, p *pair) { p.client.Legacy.Compression, p.server.Legacy.Compression = true, true },
		want:   func(s Summary) bool { return s.Compression == "DEFLATE" },
		says:   []string{"(CRIME)", "compressed with DEFLATE", "5 bytes of application_data, decompressed from"}},
	{name: "tls12-max-fragment-length", suite: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", version: wire.TLS12,
		change: func(_ *testing.T, p *pair) { p.client.Record.MaxFragmentLength = 512 },
		want: func(s Summary) bool {
			return s.SendLimit == 512 && s.ReceiveLimit == 512 && s.LimitedBy == "max_fragment_length"
		},
		says: []string{"Agreed: no record of either side holds more than this.", "records of at most 512 bytes (max_fragment_length)"}},
	{name: "tls13-record-size-limit", version: wire.TLS13,
		change: func(_ *testing.T, p *pair) { p.client.Record.SizeLimit, p.server.Record.SizeLimit = 400, 200 },
		want: func(s Summary) bool {
			return min(s.SendLimit, s.ReceiveLimit) == 199 && max(s.SendLimit, s.ReceiveLimit) == 399 && s.LimitedBy == "record_size_limit"
		},
		says: []string{"The longest record that the sender wants to get.", "records of at most 199 bytes from the client, 399 bytes from the server (record_size_limit)"}},
	{name: "tls13-delegated", version: wire.TLS13, change: delegates,
		want: func(s Summary) bool { return s.SignatureScheme == "ed25519" },
		says: []string{"delegated_credential: the certificate's key has signed it", "signature: verified again with the delegated key", "What the delegated key signs the handshake with."}},
	{name: "tls13-compressed-certificates", version: wire.TLS13,
		change: func(t *testing.T, p *pair) {
			delegates(t, p)
			withClientCertificate(t, p)
			p.server.ClientAuth = tls.RequireAndVerifyClientCert
			zlib := []certcompress.Algorithm{certcompress.Zlib()}
			p.client.CertificateCompression, p.server.CertificateCompression = zlib, zlib
		},
		want: func(s Summary) bool { return s.ClientAuth && s.SignatureScheme == "ed25519" },
		says: []string{"CompressedCertificate", "zlib: ", "inside: inflated again, the same", "compressed in the message above", "cert_data", "delegated_credential: the certificate's key has signed it"}},
	{name: "tls12-small-dh", suite: "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", version: wire.TLS12,
		change: func(_ *testing.T, p *pair) {
			p.server.DHE.Parameters, p.client.DHE.MinBits = oakley2(), 1024
			p.server.Legacy.SmallDH, p.client.Legacy.SmallDH = true, true
			p.client.CurvePreferences = []tls.CurveID{tls.X25519}
		},
		want: func(s Summary) bool { return s.DHBits == 1024 },
		says: []string{"MODP-1024 of RFC 2409, 1,024 bits", "(Logjam)"}},
}

// readOne waits for the byte that the server sends when it is done.
func readOne(c *tls.Conn) error {
	_, err := io.ReadFull(c, make([]byte, 1))
	return err
}

func askForCertificate(c *tls.Conn) error {
	if err := c.RequestClientCertificate(context.Background()); err != nil {
		return err
	}
	_, err := c.Write([]byte("!"))
	return err
}

// delegates has the server sign with a key that its certificate's has delegated to.
func delegates(t *testing.T, p *pair) {
	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(devca.Leaf{Names: []string{"localhost"}, Delegation: true})
	if err != nil {
		t.Fatal(err)
	}
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := tls.Delegate(&cert, key, time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	holder := new(tls.Delegates)
	holder.Set(d)
	p.server.Certificates, p.server.Delegation.Get = []tls.Certificate{cert}, holder.For
	p.client.Delegation.Accept = []tls.SignatureScheme{tls.Ed25519}
}

// withClientCertificate gives the client a certificate to show.
func withClientCertificate(t *testing.T, p *pair) {
	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(devca.Leaf{Names: []string{"alice"}, Client: true})
	if err != nil {
		t.Fatal(err)
	}
	p.client.Certificates, p.server.ClientCAs = []tls.Certificate{cert}, ca.Pool()
}

func TestMoments(t *testing.T) {
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t)
			if s := suite.ByName(m.suite); s != nil {
				p = pairFor(t, s, m.version)
			} else {
				p.client.MinVersion, p.client.MaxVersion = uint16(m.version), uint16(m.version)
			}
			if m.change != nil {
				m.change(t, p)
			}
			client, server := p.connect(t, m.before)
			for _, side := range []*Collector{client, server} {
				m.check(t, side.Connection(About{}))
			}
			m.keep(t, client.Connection(About{Target: "localhost"}))
		})
	}
}

func (m *moment) check(t *testing.T, account *Connection) {
	t.Helper()
	account.mustAgree(t)
	account.mustBeWhole(t)
	if !m.want(account.Summary) {
		t.Errorf("seen from the %s: %+v", account.Side, account.Summary)
	}
	mustSay(t, render(t, account, look{Width: 200}), m.says...)
}

// keep writes the account, if that is wanted.
func (m *moment) keep(t *testing.T, account *Connection) {
	t.Helper()
	if !*recordAnew || !m.kept || t.Failed() {
		return
	}
	var out bytes.Buffer
	if err := account.JSON(&out); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("testdata", "live-"+m.name+".json"), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// oakley2 is the group of 1024 bits that most servers had once. RFC 2409 §6.2.
func oakley2() *tls.DHParameters {
	p, _ := hex.DecodeString("ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437" +
		"4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff")
	return &tls.DHParameters{P: p, G: []byte{2}}
}
