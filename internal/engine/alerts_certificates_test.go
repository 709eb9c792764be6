package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	stdtls "crypto/tls"
	"crypto/x509"
	"errors"
	"testing"

	"github.com/vitrine-tls/vitrine/certcompress"
	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

// What a peer may break of raw public keys, compressed certificates and delegated
// credentials.

var (
	rawAlone   = []wire.CertificateType{wire.CertificateTypeRawPublicKey}
	rawAndX509 = []wire.CertificateType{wire.CertificateTypeRawPublicKey, wire.CertificateTypeX509}
)

// rawServer has the server show a raw public key, and the client take nothing else.
func rawServer(c, s *host) { c.config.AcceptTypes, s.config.ShowTypes = rawAlone, rawAndX509 }

// rawClient has the client show a raw public key, where it is asked.
func rawClient(c, s *host) {
	clientAuth(c, s)
	c.config.ShowTypes, s.config.AcceptTypes = rawAlone, rawAlone
}

func (h *host) VerifyKey(context.Context, *handshake.State, *handshake.RawKey) error { return h.rawKey }

func (h *host) RawKey(context.Context, *handshake.State, *stdtls.CertificateRequestInfo) (*stdtls.Certificate, bool, error) {
	return h.certificate, h.certificate != nil, nil
}

func (h *host) Delegated(*stdtls.Certificate) []*handshake.Delegated { return h.delegated }

// rawKeyFails is a host whose application has no raw public key, or is not to be reached.
type rawKeyFails struct{ *host }

func (rawKeyFails) RawKey(context.Context, *handshake.State, *stdtls.CertificateRequestInfo) (*stdtls.Certificate, bool, error) {
	return nil, false, errors.New("locked")
}

// compressing has both sides compress by zlib.
func compressing(c, s *host) {
	c.config.CertCompressions, s.config.CertCompressions = []certcompress.Algorithm{certcompress.Zlib()}, []certcompress.Algorithm{certcompress.Zlib()}
}

func compressed(f func(*wire.CompressedCertificate)) edit { return change(f) }

// delegating has the client take delegated credentials, of which the leaf's key may sign none.
func delegating(c, _ *host) { c.config.DelegatedSchemes = []wire.SignatureScheme{wire.ECDSAP256SHA256} }

var ofCertificates = []offence{
	{"no certificate type in common", wire.AlertUnsupportedCertificate, only(wire.TLS12, func(c, _ *host) { c.config.AcceptTypes = rawAlone }), wire.Client, nil},
	{"no certificate type in common", wire.AlertUnsupportedCertificate, only(wire.TLS13, clientAuth, func(_, s *host) { s.config.AcceptTypes = rawAlone }), wire.Client, nil},
	{"no certificate type in common", wire.AlertUnsupportedCertificate, only(wire.TLS13, rawServer), wire.Server, says13(wire.ExtServerCertificateType, 0)},
	{"no certificate type in common", wire.AlertUnsupportedCertificate, only(wire.TLS12, rawClient), wire.Server, says(wire.ExtClientCertificateType, 0)},
	{"no certificate type in common", wire.AlertUnsupportedCertificate, only(wire.TLS13, rawServer), wire.Server,
		change(func(m *wire.EncryptedExtensions) { without(&m.Extensions, wire.ExtServerCertificateType) })},
	{"what we do not show", wire.AlertUnsupportedCertificate, only(wire.TLS12, rawClient), wire.Server,
		serverHello(func(m *wire.ServerHello) { without(&m.Extensions, wire.ExtClientCertificateType) })},
	{"the peer's raw public key cannot be read", wire.AlertDecodeError, only(wire.TLS13, rawServer), wire.Server,
		change(func(m *wire.Certificate) { m.Entries[0].DER = []byte{0x30, 0} })},
	{"a raw public key comes with the extension", wire.AlertUnsupportedExtension, only(wire.TLS13, rawServer), wire.Server,
		change(func(m *wire.Certificate) { set(&m.Entries[0].Extensions, wire.ExtSCT, 0, 3, 0, 1, 1) })},
	{"stands alone, without a chain", wire.AlertDecodeError, only(wire.TLS13, rawServer), wire.Server,
		change(func(m *wire.Certificate) { m.Entries = append(m.Entries, m.Entries[0]) })},
	{"no raw public key could be had", wire.AlertInternalError, then(only(wire.TLS12, rawClient), func(c, _ *host) { c.config.Host = rawKeyFails{c} }), wire.Server, nil},
	{"GetCertificate failed", wire.AlertInternalError, then(only(wire.TLS12, rawServer), func(_, s *host) { s.config.Host = rawKeyFails{s} }), wire.Client, nil},
	{"the certificate whose key is to be shown bare does not parse", wire.AlertInternalError, then(only(wire.TLS13, rawServer), func(_, s *host) {
		own := *s.certificate
		own.Certificate = [][]byte{{0x30, 0}}
		s.certificate = &own
	}), wire.Client, nil},
	{" can be shown bare only with its certificate beside it", wire.AlertInternalError, then(only(wire.TLS13, rawServer), func(_, s *host) {
		s.certificate = &stdtls.Certificate{PrivateKey: certificate("dsa").PrivateKey}
	}), wire.Client, nil},
	{"the server's certificate is refused", wire.AlertBadCertificate, only(wire.TLS12, rawServer, func(c, _ *host) { c.rawKey = errors.New("unknown") }), wire.Server, nil},

	{"the peer compressed its certificate by brotli", wire.AlertIllegalParameter, only(wire.TLS13, compressing), wire.Server,
		compressed(func(m *wire.CompressedCertificate) { m.Algorithm = wire.CertificateBrotli })},
	{"the peer's certificate is said to inflate from ", wire.AlertBadCertificate, only(wire.TLS13, compressing), wire.Server,
		compressed(func(m *wire.CompressedCertificate) { m.Length = 1<<24 - 1 })},
	{"does not inflate to what it says", wire.AlertBadCertificate, only(wire.TLS13, compressing), wire.Server,
		compressed(func(m *wire.CompressedCertificate) { m.Length-- })},
	{"does not inflate to what it says", wire.AlertBadCertificate, only(wire.TLS13, compressing, clientAuth), wire.Client,
		compressed(func(m *wire.CompressedCertificate) { m.Compressed = append(bytes.Clone(m.Compressed), 0) })},
	{"the certificate could not be compressed by zlib", wire.AlertInternalError, only(wire.TLS13, compressing, func(_, s *host) {
		s.config.CertCompressions[0].Compress = func([]byte) ([]byte, error) { return nil, errors.New("no memory") }
		own := *certificate("rsa") // whose compressed form is not kept yet
		sum := sha256.Sum256([]byte("a staple of this test"))
		own.OCSPStaple = sum[:]
		s.certificate = &own
	}), wire.Client, nil},

	{"the server's delegated credential is refused: its certificate may not delegate", wire.AlertIllegalParameter, only(wire.TLS13, delegating), wire.Server,
		change(func(m *wire.Certificate) {
			set(&m.Entries[0].Extensions, wire.ExtDelegatedCredential, (&wire.DelegatedCredential{Scheme: wire.ECDSAP256SHA256, PublicKey: []byte{1}, Signature: []byte{1}}).Append(nil)...)
		})},
	{"a message that does not parse", wire.AlertDecodeError, only(wire.TLS13, delegating), wire.Server,
		change(func(m *wire.Certificate) { set(&m.Entries[0].Extensions, wire.ExtDelegatedCredential, 1) })},
	{"a delegated credential that we did not ask for", wire.AlertUnexpectedMessage, hosts13, wire.Server,
		change(func(m *wire.Certificate) { set(&m.Entries[0].Extensions, wire.ExtDelegatedCredential, 1) })},
}

// A server may ask a client for a delegated credential, of which ours has none. The server's own transcript
// lacks the extension, so that it is the one that refuses. RFC 9345 §4.1.2.
func TestDelegatedCredentialsMayBeAskedFor(t *testing.T) {
	asks := change(func(m *wire.CertificateRequest) { set(&m.Extensions, wire.ExtDelegatedCredential, 0, 2, 4, 3) })
	for hint, how := range map[string]edit{"asks": asks, "malformed": change(func(m *wire.CertificateRequest) { set(&m.Extensions, wire.ExtDelegatedCredential, 0) })} {
		victim := offence{hosts: only(wire.TLS13, clientAuth), by: wire.Server, how: how}.commit(t)
		want := wire.AlertDecryptError // the signature of the server's CertificateVerify
		if hint == "malformed" {
			want = wire.AlertDecodeError
		}
		victim.wants(t, want)
	}
}

// A server that announces a staple, and shows no certificate that it could be about, makes nobody verify
// a chain. RFC 6066 §8.
func TestStaplesOfNoCertificate(t *testing.T) {
	announces := serverHello(func(m *wire.ServerHello) { set(&m.Extensions, wire.ExtStatusRequest) })
	staple := wire.AppendMessage(nil, &wire.CertificateStatus{Response: []byte("an OCSP response")}, wire.Context{Version: wire.TLS12, From: wire.Server})
	andStaples := func(r *records, raw []byte) [][]byte {
		if wire.HandshakeType(raw[0]) == wire.TypeCertificate {
			return [][]byte{raw, staple}
		}
		return announces(r, raw)
	}
	for name, x := range map[string]struct {
		hosts func(testing.TB) (client, server *host)
		how   edit
	}{
		"a raw public key":              {only(wire.TLS12, rawServer), announces},
		"a raw public key and a staple": {only(wire.TLS12, rawServer), andStaples},
		"anonymous":                     {exchange(wire.TLS_DH_anon_WITH_AES_128_GCM_SHA256), announces},
		"a pre-shared key":              {exchange(wire.TLS_PSK_WITH_AES_128_GCM_SHA256), announces},
	} {
		verified := false
		hosts := then(x.hosts, func(c, _ *host) { c.config.Host = anyPeer{c, &verified} })
		client := flow{hosts: hosts}.run(t, wire.Server, x.how)
		// The rogue's own transcript lacks what it adds: where the client has gone on, the server ends the handshake.
		if fault := new(handshake.Error); verified || client.Result().Peer.OCSP != nil || len(client.sent) > 0 || !errors.As(client.err, &fault) || !fault.Received {
			t.Errorf("%s: a chain was verified: %v; the client has sent %v: %v", name, verified, client.sent, client.err)
		}
	}
}

// anyPeer is a host that notes that it was asked about a chain.
type anyPeer struct {
	*host
	asked *bool
}

func (a anyPeer) VerifyPeer(context.Context, *handshake.State, []*x509.Certificate) ([][]*x509.Certificate, error) {
	*a.asked = true
	return nil, errors.New("there is no chain")
}

// A client asks for no credential of its peer's where it is the server.
func TestDelegatedCredentialOfAClient(t *testing.T) {
	o := offence{"delegated credential", wire.AlertUnexpectedMessage, only(wire.TLS13, clientAuth, delegating), wire.Client,
		change(func(m *wire.Certificate) { set(&m.Entries[0].Extensions, wire.ExtDelegatedCredential, 1) })}
	o.commit(t).wants(t, o.alert)
}
