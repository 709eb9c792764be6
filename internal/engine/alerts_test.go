package engine

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	stdtls "crypto/tls"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// Each rule that a peer can break, and the alert that answers it. The peer is
// one of ours with a rogue in it that breaks the one rule.

// an offence is one way to break a rule.
type offence struct {
	rule  string // part of the error's text
	alert wire.AlertCode
	hosts func(testing.TB) (client, server *host)
	by    wire.Role // the rogue
	how   edit      // nil: the hosts are enough
}

// set replaces an extension, or adds it in front.
func set(x *wire.Extensions, t wire.ExtensionType, body ...byte) {
	for i := range *x {
		if (*x)[i].Type == t {
			(*x)[i].Data = body
			return
		}
	}
	*x = append(wire.Extensions{{Type: t, Data: body}}, *x...)
}

func without(x *wire.Extensions, t wire.ExtensionType) {
	*x = slices.DeleteFunc(*x, func(e wire.Extension) bool { return e.Type == t })
}

func clientHello(f func(*wire.ClientHello)) edit { return change(f) }
func serverHello(f func(*wire.ServerHello)) edit { return change(f) }

func hello2(f func(*wire.ClientHello)) edit { return second(wire.TypeClientHello, change(f)) }

// lacks leaves an extension out of the ClientHello.
func lacks(t wire.ExtensionType) edit {
	return clientHello(func(m *wire.ClientHello) { without(&m.Extensions, t) })
}

// says puts an extension into the ServerHello.
func says(t wire.ExtensionType, body ...byte) edit {
	return serverHello(func(m *wire.ServerHello) { set(&m.Extensions, t, body...) })
}

func says13(t wire.ExtensionType, body ...byte) edit {
	return change(func(m *wire.EncryptedExtensions) { set(&m.Extensions, t, body...) })
}

func both(change ...func(c, s *host)) func(testing.TB) (client, server *host) {
	return func(testing.TB) (*host, *host) {
		c, s := newClientHost(), newServerHost()
		for _, f := range change {
			f(c, s)
		}
		return c, s
	}
}

// then changes the hosts after first has made them.
func then(first func(testing.TB) (client, server *host), f func(c, s *host)) func(testing.TB) (client, server *host) {
	return func(t testing.TB) (*host, *host) {
		c, s := first(t)
		f(c, s)
		return c, s
	}
}

func protocols(ours, theirs string) func(c, s *host) {
	return func(c, s *host) { c.config.ALPN, s.config.ALPN = []string{ours}, []string{theirs} }
}

func serverOnly12(_, s *host) { s.config.Versions = []wire.Version{wire.TLS12} }
func clientOnly12(c, _ *host) { c.config.Versions = []wire.Version{wire.TLS12} }

// zeros is a source of randomness that has none.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

type noReader struct{}

func (noReader) Read([]byte) (int, error) { return 0, errors.New("no entropy") }

// liar signs something else.
type liar struct{ crypto.Signer }

func (l liar) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	other := bytes.Clone(digest)
	other[0] ^= 1
	return l.Signer.Sign(r, other, o)
}

type brokenSigner struct{ crypto.Signer }

func (brokenSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the token was removed")
}

// publicOnly is a key that can do nothing.
type publicOnly struct{ key crypto.Signer }

func (p publicOnly) Public() crypto.PublicKey { return p.key.Public() }

// keyed is the certificate of the kind with its key wrapped.
func keyed(kind string, wrap func(crypto.Signer) any) *stdtls.Certificate {
	c := *certificate(kind)
	c.PrivateKey = wrap(c.PrivateKey.(crypto.Signer))
	return &c
}

func lie(s crypto.Signer) any { return liar{s} }

// failing is a host whose application fails where it is asked.
type failing struct {
	*host
	ticket, log, clientCertificate, certificate bool
}

func (f failing) SealTicket(s *handshake.State, c *session.Session) ([]byte, error) {
	if f.ticket {
		return nil, errors.New("the sealer is down")
	}
	return f.host.SealTicket(s, c)
}

func (f failing) KeyLog(label string, random, secret []byte) error {
	if f.log {
		return errors.New("the disk is full")
	}
	return f.host.KeyLog(label, random, secret)
}

func (f failing) Certificate(ctx context.Context, s *handshake.State) (*stdtls.Certificate, error) {
	if f.certificate {
		return nil, errors.New("the vault is locked")
	}
	return f.host.Certificate(ctx, s)
}

func (f failing) ClientCertificate(info *stdtls.CertificateRequestInfo) (*stdtls.Certificate, []stdtls.Certificate, error) {
	if f.clientCertificate {
		return nil, nil, errors.New("the user said no")
	}
	return f.host.ClientCertificate(info)
}

// resign puts a bad point into a ServerKeyExchange and signs that, as anyone who
// holds the certificate's key can.
func resign(r *records, raw []byte) [][]byte {
	return change(func(m *wire.ServerKeyExchange) {
		m.Share = make([]byte, len(m.Share))
		m.Share[0] = 4
		secrets := (*Engine)(r).Result().Secrets
		signed := sha256.Sum256(m.AppendParams(append(secrets.ClientRandom[:], secrets.ServerRandom[:]...), wire.Context{KeyExchange: wire.KeyExchangeECDHE}))
		m.Signature, _ = certificate("ecdsa").PrivateKey.(crypto.Signer).Sign(rand.Reader, signed[:], crypto.SHA256)
	})(r, raw)
}

// retryFor turns a ServerHello into a HelloRetryRequest.
func retryFor(body ...byte) edit {
	return once(wire.TypeServerHello, serverHello(func(m *wire.ServerHello) {
		m.Random = wire.HelloRetryRandom[:]
		without(&m.Extensions, wire.ExtKeyShare)
		if body != nil {
			set(&m.Extensions, wire.ExtKeyShare, body...)
		}
	}))
}

var (
	hosts12, hosts13 = only(wire.TLS12), only(wire.TLS13)
	hostsPSK         = resumed(only(wire.TLS13, tickets))
	hostsTicket      = resumed(only(wire.TLS12, tickets))
	hostsRetry       = only(wire.TLS13, retry)
	hostsAuth12      = only(wire.TLS12, clientAuth)
	hostsAuth13      = only(wire.TLS13, clientAuth)
)

func illegal(rule string, hosts func(testing.TB) (client, server *host), by wire.Role, how edit) offence {
	return offence{rule, wire.AlertIllegalParameter, hosts, by, how}
}

var ofClients = []offence{
	{"lacks supported_groups", wire.AlertMissingExtension, hosts13, wire.Client, lacks(wire.ExtSupportedGroups)},
	{"lacks key_share", wire.AlertMissingExtension, hosts13, wire.Client, lacks(wire.ExtKeyShare)},
	{"lacks signature_algorithms", wire.AlertMissingExtension, hosts13, wire.Client, lacks(wire.ExtSignatureAlgorithms)},
	{"without psk_key_exchange_modes", wire.AlertMissingExtension, hostsPSK, wire.Client, lacks(wire.ExtPSKKeyExchangeModes)},
	{"its PSK is not one of ours", wire.AlertMissingExtension, then(hostsPSK, func(_, s *host) { s.tickets.Set([][32]byte{{2}}) }), wire.Client, lacks(wire.ExtSignatureAlgorithms)},
	illegal("pre_shared_key is not the client's last", hostsPSK, wire.Client, clientHello(func(m *wire.ClientHello) { slices.Reverse(m.Extensions) })),
	{"no cipher suite in common", wire.AlertHandshakeFailure, only(wire.TLS13, suites(wire.TLS_AES_128_GCM_SHA256), func(_, s *host) {
		suites(wire.TLS_AES_256_GCM_SHA384)(s, nil)
	}), wire.Client, nil},
	{"no cipher suite in common", wire.AlertHandshakeFailure, only(wire.TLS12, suites(wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)), wire.Client, nil},
	{"no group in common", wire.AlertHandshakeFailure, only(wire.TLS13, func(c, s *host) {
		c.config.Groups, s.config.Groups = []wire.NamedGroup{wire.GroupP256}, []wire.NamedGroup{wire.GroupX25519}
	}), wire.Client, nil},
	{"we accept x25519, the peer offers secp256r1; have the client offer other groups", wire.AlertHandshakeFailure, only(wire.TLS12, func(c, s *host) {
		c.config.Groups, s.config.Groups = []wire.NamedGroup{wire.GroupP256}, []wire.NamedGroup{wire.GroupX25519}
	}), wire.Client, nil},
	{"no signature scheme in common", wire.AlertHandshakeFailure, only(wire.TLS13, func(c, _ *host) {
		c.config.Schemes = []wire.SignatureScheme{wire.RSAPSSRSAESHA256}
	}), wire.Client, nil},
	{"we accept ecdsa_secp256r1_sha256, ecdsa_secp384r1_sha384, the peer offers rsa_pss_rsae_sha256; use a certificate with another kind of key", wire.AlertHandshakeFailure, only(wire.TLS12, func(c, _ *host) {
		c.config.Schemes = []wire.SignatureScheme{wire.RSAPSSRSAESHA256}
	}), wire.Client, nil},
	{"no application protocol in common", wire.AlertNoApplicationProtocol, only(wire.TLS12, protocols("h2", "imap")), wire.Client, nil},
	{"no application protocol in common", wire.AlertNoApplicationProtocol, only(wire.TLS13, protocols("h2", "imap")), wire.Client, nil},
	{"no version in common", wire.AlertProtocolVersion, both(clientOnly12, func(_, s *host) { s.config.Versions = []wire.Version{wire.TLS13} }), wire.Client, nil},
	{"the client's legacy_version is SSL 3.0", wire.AlertProtocolVersion, both(), wire.Client, clientHello(func(m *wire.ClientHello) { m.LegacyVersion = wire.SSL30 })},
	{"the client's legacy_version is", wire.AlertProtocolVersion, hosts13, wire.Client, clientHello(func(m *wire.ClientHello) { m.LegacyVersion = 0x0002 })},
	{"the client's legacy_version is", wire.AlertProtocolVersion, hosts13, wire.Client, clientHello(func(m *wire.ClientHello) { m.LegacyVersion = 0 })},
	{"the client's legacy_version is SSL 3.0", wire.AlertProtocolVersion, only(wire.SSL30), wire.Client, clientHello(func(m *wire.ClientHello) {
		m.NoExtensions = false
		set(&m.Extensions, wire.ExtSupportedVersions, 2, 3, 0)
	})},
	{"the client fell back", wire.AlertInappropriateFallback, both(clientOnly12, func(c, _ *host) { c.config.Fallback = true }), wire.Client, nil},
	illegal("does not offer to leave out compression", hosts12, wire.Client, clientHello(func(m *wire.ClientHello) { m.CompressionMethods = []wire.CompressionMethod{1} })),
	illegal("offers compression with TLS 1.3", hosts13, wire.Client, clientHello(func(m *wire.ClientHello) { m.CompressionMethods = []wire.CompressionMethod{1, 0} })),
	illegal("the client does not speak uncompressed points", hosts12, wire.Client, clientHello(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtECPointFormats, 1, 1) })),
	{"the client's renegotiation_info speaks", wire.AlertHandshakeFailure, hosts12, wire.Client, clientHello(func(m *wire.ClientHello) {
		set(&m.Extensions, wire.ExtRenegotiationInfo, 1, 1)
	})},
	illegal("the client's key share is not valid", hosts13, wire.Client, clientHello(func(m *wire.ClientHello) {
		share, _ := m.Extensions.Find(wire.ExtKeyShare)
		share[len(share)-1] ^= 1
	})),
	illegal("two key shares", hosts13, wire.Client, clientHello(func(m *wire.ClientHello) {
		set(&m.Extensions, wire.ExtKeyShare, 0, 10, 0, 0x17, 0, 1, 4, 0, 0x17, 0, 1, 4)
	})),
	illegal("a group that it does not list", hosts13, wire.Client, clientHello(func(m *wire.ClientHello) {
		set(&m.Extensions, wire.ExtSupportedGroups, 0, 2, 0, 0x18)
	})),
	illegal("second ClientHello differs", hostsRetry, wire.Client, hello2(func(m *wire.ClientHello) { m.CipherSuites = m.CipherSuites[1:] })),
	illegal("second ClientHello differs", hostsRetry, wire.Client, hello2(func(m *wire.ClientHello) { m.Random[0] ^= 1 })),
	illegal("second ClientHello differs", hostsRetry, wire.Client, hello2(func(m *wire.ClientHello) { m.SessionID = nil })),
	illegal("second ClientHello differs", hostsRetry, wire.Client, hello2(func(m *wire.ClientHello) { without(&m.Extensions, wire.ExtServerName) })),
	illegal("second ClientHello differs", hostsRetry, wire.Client, hello2(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtALPN, 0, 3, 2, 'h', '2') })),
	illegal("did not return our cookie", hostsRetry, wire.Client, hello2(func(m *wire.ClientHello) { without(&m.Extensions, wire.ExtCookie) })),
	illegal("did not return our cookie", hostsRetry, wire.Client, hello2(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtCookie, 0, 1, 0) })),
	illegal("second ClientHello announces early data", hostsRetry, wire.Client, hello2(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtEarlyData) })),
	illegal("the one key share that we asked for", hostsRetry, wire.Client, hello2(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtKeyShare, 0, 5, 0, 0x17, 0, 1, 4) })),
	illegal("the one key share that we asked for", hostsRetry, wire.Client, hello2(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtKeyShare, 0, 0) })),
	illegal("lacks the PSK of its first", resumed(only(wire.TLS13, tickets, retry)), wire.Client, hello2(func(m *wire.ClientHello) {
		psk, _ := m.Extensions.Find(wire.ExtPreSharedKey)
		psk[4] ^= 1
	})),
	{"lacks pre_shared_key", wire.AlertMissingExtension, resumed(only(wire.TLS13, tickets, retry)), wire.Client, hello2(func(m *wire.ClientHello) { without(&m.Extensions, wire.ExtPreSharedKey) })},
	{"the client's PSK binder is wrong", wire.AlertDecryptError, hostsPSK, wire.Client, flip(wire.TypeClientHello, -1)},
	{"the client's PSK binder is wrong", wire.AlertDecryptError, hostsPSK, wire.Client, clientHello(func(m *wire.ClientHello) { m.Random[0] ^= 1 })},
	{"the client's PSK binder is wrong", wire.AlertDecryptError, resumed(only(wire.TLS13, tickets, retry)), wire.Client, second(wire.TypeClientHello, flip(wire.TypeClientHello, -1))},
	{"but no longer offers it", wire.AlertHandshakeFailure, hostsTicket, wire.Client, lacks(wire.ExtExtendedMasterSecret)},
	illegal("the client's ephemeral key is not valid", hosts12, wire.Client, flip(wire.TypeClientKeyExchange, -1)),
	{"one is required", wire.AlertHandshakeFailure, then(hostsAuth12, func(c, _ *host) { c.certificate = nil }), wire.Client, nil},
	{"one is required", wire.AlertCertificateRequired, then(hostsAuth13, func(c, _ *host) { c.certificate = nil }), wire.Client, nil},
	illegal("certificate_request_context must be empty", hostsAuth13, wire.Client, change(func(m *wire.Certificate) { m.RequestContext = []byte{1} })),
	{"a certificate has an extension", wire.AlertUnsupportedExtension, hostsAuth13, wire.Client, change(func(m *wire.Certificate) { set(&m.Entries[0].Extensions, 0x1234) })},
	{"certificate is refused", wire.AlertBadCertificate, hostsAuth13, wire.Client, change(func(m *wire.Certificate) { m.Entries[0].DER = []byte("no DER") })},
	illegal("no signature scheme in common", hostsAuth13, wire.Client, change(func(m *wire.CertificateVerify) { m.Scheme = wire.RSAPKCS1SHA256 })),
	illegal("no signature scheme in common", hostsAuth12, wire.Client, change(func(m *wire.CertificateVerify) { m.Scheme = wire.ECDSASHA1 })),
	illegal("does not fit its key", hostsAuth13, wire.Client, change(func(m *wire.CertificateVerify) { m.Scheme = wire.ECDSAP384SHA384 })),
	illegal("does not fit its key", hostsAuth12, wire.Client, change(func(m *wire.CertificateVerify) { m.Scheme = wire.RSAPKCS1SHA256 })),
	{"the peer's signature is wrong", wire.AlertDecryptError, then(hostsAuth12, func(c, _ *host) { c.certificate = keyed("ecdsa", lie) }), wire.Client, nil},
	{"the peer's signature is wrong", wire.AlertDecryptError, then(hostsAuth13, func(c, _ *host) { c.certificate = keyed("ecdsa", lie) }), wire.Client, nil},
	{"our certificate's key (Ed25519) cannot sign in TLS 1.1", wire.AlertHandshakeFailure, then(only(wire.TLS11, suites(wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA)), func(_, s *host) { s.certificate = certificate("ed25519") }), wire.Client, nil},
	illegal("the peer's key (Ed25519) cannot sign in TLS 1.1", only(wire.TLS11, suites(wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA)), wire.Server, change(func(m *wire.Certificate) { m.Entries[0].DER = certificate("ed25519").Certificate[0] })),
	{"that we did not send: status_request_v2", wire.AlertUnsupportedExtension, only(wire.TLS12, stapled), wire.Server, says(wire.ExtStatusRequestV2)},
	{"does not parse", wire.AlertDecodeError, only(wire.TLS12, chainStapled), wire.Server, says(wire.ExtStatusRequestV2, 0)},
	illegal("announces one CertificateStatus by two extensions", only(wire.TLS12, chainStapled), wire.Server, says(wire.ExtStatusRequest)),
	illegal("a list of OCSP responses, which was not agreed on", only(wire.TLS12, stapled), wire.Server, change(func(m *wire.CertificateStatus) { m.Responses = [][]byte{m.Response} })),
	illegal("more OCSP responses than it has sent certificates", only(wire.TLS12, chainStapled), wire.Server, change(func(m *wire.CertificateStatus) { m.Responses = append(m.Responses, nil) })),
	{"the peer's Finished is wrong", wire.AlertDecryptError, hosts12, wire.Client, flip(wire.TypeFinished, -1)},
	{"the peer's Finished is wrong", wire.AlertDecryptError, hosts13, wire.Client, flip(wire.TypeFinished, -1)},
	{"the peer's Finished is wrong", wire.AlertDecryptError, hostsTicket, wire.Client, flip(wire.TypeFinished, 4)},
	{"the peer's Finished has 0 bytes", wire.AlertDecodeError, hostsPSK, wire.Client, instead(wire.TypeFinished, 20, 0, 0, 0)},
	{"the peer's Finished has 0 bytes", wire.AlertDecodeError, hosts12, wire.Client, instead(wire.TypeFinished, 20, 0, 0, 0)},
	{"does not parse", wire.AlertDecodeError, hosts13, wire.Client, clientHello(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtSupportedVersions, 3, 3, 4, 3) })},
	{"does not offer one binder for each PSK", wire.AlertIllegalParameter, hostsPSK, wire.Client, clientHello(func(m *wire.ClientHello) {
		var o wire.OfferedPSKs
		m.Extensions.Read(wire.ExtPreSharedKey, o.Read)
		unknown := wire.PSKIdentity{Identity: []byte("unknown")}
		o.Identities = append([]wire.PSKIdentity{unknown}, o.Identities...)
		set(&m.Extensions, wire.ExtPreSharedKey, o.Append(nil)...)
	})},
	{"does not parse", wire.AlertDecodeError, hosts12, wire.Client, instead(wire.TypeClientHello, 1, 0, 0, 2, 3, 3)},
	{"does not parse", wire.AlertDecodeError, hosts13, wire.Client, clientHello(func(m *wire.ClientHello) { m.Extensions = append(m.Extensions, m.Extensions[0]) })},
}

var ofServers = []offence{
	illegal("through supported_versions", hosts13, wire.Server, says(wire.ExtSupportedVersions, 3, 3)),
	{"the server's legacy_version is SSL 3.0", wire.AlertProtocolVersion, hosts13, wire.Server, serverHello(func(m *wire.ServerHello) { m.LegacyVersion = wire.SSL30 })},
	{"the server's legacy_version is", wire.AlertProtocolVersion, both(), wire.Server, serverHello(func(m *wire.ServerHello) { m.LegacyVersion = 0x0200 })},
	{"the server's legacy_version is SSL 3.0", wire.AlertProtocolVersion, hostsRetry, wire.Server, once(wire.TypeServerHello, serverHello(func(m *wire.ServerHello) { m.LegacyVersion = wire.SSL30 }))},
	{"the server's legacy_version is SSL 3.0", wire.AlertProtocolVersion, hostsRetry, wire.Server, second(wire.TypeServerHello, serverHello(func(m *wire.ServerHello) { m.LegacyVersion = wire.SSL30 }))},
	illegal("legacy_version is not TLS 1.2", hosts13, wire.Server, serverHello(func(m *wire.ServerHello) { m.LegacyVersion = wire.TLS11 })),
	illegal("legacy_version is not TLS 1.2", hosts13, wire.Server, serverHello(func(m *wire.ServerHello) { m.LegacyVersion = wire.TLS13 })),
	{"above TLS 1.2 without supported_versions", wire.AlertProtocolVersion, hosts13, wire.Server, serverHello(func(m *wire.ServerHello) {
		m.LegacyVersion = wire.TLS13
		without(&m.Extensions, wire.ExtSupportedVersions)
	})},
	illegal("could do better than TLS 1.2", both(serverOnly12), wire.Server, serverHello(func(m *wire.ServerHello) { copy(m.Random[24:], wire.DowngradeTLS12) })),
	illegal("could do better than TLS 1.2", both(serverOnly12), wire.Server, serverHello(func(m *wire.ServerHello) { copy(m.Random[24:], wire.DowngradeTLS11) })),
	{"no version in common", wire.AlertProtocolVersion, hosts12, wire.Server, serverHello(func(m *wire.ServerHello) { m.LegacyVersion = wire.TLS11 })},
	illegal("HelloRetryRequest for an old version", hosts12, wire.Server, serverHello(func(m *wire.ServerHello) { m.Random = wire.HelloRetryRandom[:] })),
	illegal("no cipher suite in common", hosts13, wire.Server, serverHello(func(m *wire.ServerHello) { m.CipherSuite = wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 })),
	illegal("no cipher suite in common", hosts12, wire.Server, serverHello(func(m *wire.ServerHello) { m.CipherSuite = wire.TLS_AES_128_GCM_SHA256 })),
	illegal("picked a compression", hosts12, wire.Server, serverHello(func(m *wire.ServerHello) { m.CompressionMethod = 1 })),
	{"legacy_compression_method is not 0", wire.AlertDecodeError, hosts13, wire.Server, serverHello(func(m *wire.ServerHello) { m.CompressionMethod = 1 })},
	illegal("differ in the cipher suite", hostsRetry, wire.Server, second(wire.TypeServerHello, serverHello(func(m *wire.ServerHello) { m.CipherSuite = wire.TLS_AES_256_GCM_SHA384 }))),
	illegal("does not echo our legacy_session_id", hosts13, wire.Server, serverHello(func(m *wire.ServerHello) { m.SessionID = nil })),
	illegal("does not echo our legacy_session_id", hostsRetry, wire.Server, serverHello(func(m *wire.ServerHello) { m.SessionID[0] ^= 1 })),
	{"a second HelloRetryRequest", wire.AlertUnexpectedMessage, hostsRetry, wire.Server, second(wire.TypeServerHello, serverHello(func(m *wire.ServerHello) {
		m.Random = wire.HelloRetryRandom[:]
		set(&m.Extensions, wire.ExtKeyShare, 0, 0x1d)
	}))},
	illegal("changed the version after", hostsRetry, wire.Server, second(wire.TypeServerHello, serverHello(func(m *wire.ServerHello) { without(&m.Extensions, wire.ExtSupportedVersions) }))),
	{"the server sent no key share", wire.AlertMissingExtension, hosts13, wire.Server, serverHello(func(m *wire.ServerHello) { without(&m.Extensions, wire.ExtKeyShare) })},
	illegal("not in the group of its HelloRetryRequest", hostsRetry, wire.Server, second(wire.TypeServerHello, says(wire.ExtKeyShare, 0, 0x17, 0, 1, 4))),
	illegal("for which we sent none", hosts13, wire.Server, says(wire.ExtKeyShare, 0, 0x18, 0, 1, 4)),
	illegal("the server's key share is not valid", hosts13, wire.Server, says(wire.ExtKeyShare, 0, 0x17, 0, 1, 4)),
	illegal("a message it does not belong in", hosts13, wire.Server, says(wire.ExtServerName)),
	illegal("a message it does not belong in", hostsRetry, wire.Server, says(wire.ExtServerName)),
	illegal("a message it does not belong in", hosts13, wire.Server, says13(wire.ExtKeyShare, 0, 0x17, 0, 1, 4)),
	illegal("a message it does not belong in", hosts12, wire.Server, says(wire.ExtSignatureAlgorithms, 0, 2, 4, 3)),
	{"an extension that we did not send", wire.AlertUnsupportedExtension, hosts12, wire.Server, says(wire.ExtSessionTicket)},
	{"an extension that we did not send", wire.AlertUnsupportedExtension, hosts12, wire.Server, says(0x1234, 1)},
	{"an extension that we did not send", wire.AlertUnsupportedExtension, hosts13, wire.Server, says(0x1234, 1)},
	{"an extension that we did not send", wire.AlertUnsupportedExtension, hosts13, wire.Server, says13(wire.ExtALPN, 0, 3, 2, 'h', '2')},
	{"an extension that we did not send", wire.AlertUnsupportedExtension, hosts13, wire.Server, says13(wire.ExtEarlyData)},
	{"an extension that we did not send", wire.AlertUnsupportedExtension, hostsRetry, wire.Server, once(wire.TypeServerHello, says(0x1234))},
	{"picked a PSK, and we offered none", wire.AlertUnsupportedExtension, hosts13, wire.Server, says(wire.ExtPreSharedKey, 0, 0)},
	illegal("picked a PSK that we did not offer", hostsPSK, wire.Server, says(wire.ExtPreSharedKey, 0, 1)),
	illegal("another hash than the PSK's", hostsPSK, wire.Server, serverHello(func(m *wire.ServerHello) { m.CipherSuite = wire.TLS_AES_256_GCM_SHA384 })),
	illegal("asks for nothing", hosts13, wire.Server, retryFor()),
	illegal("a key share that it already has", hosts13, wire.Server, retryFor(0, 0x17)),
	illegal("no group in common", hosts13, wire.Server, retryFor(0, 0x19)),
	{"the server's renegotiation_info does not fit", wire.AlertHandshakeFailure, hosts12, wire.Server, says(wire.ExtRenegotiationInfo, 1, 1)},
	illegal("the server does not speak uncompressed points", hosts12, wire.Server, says(wire.ExtECPointFormats, 1, 1)),
	illegal("which has no MAC of its own", hosts12, wire.Server, says(wire.ExtEncryptThenMAC)),
	illegal("no application protocol in common", only(wire.TLS12, protocols("h2", "h2")), wire.Server, says(wire.ExtALPN, 0, 5, 4, 'i', 'm', 'a', 'p')),
	illegal("no application protocol in common", only(wire.TLS13, protocols("h2", "h2")), wire.Server, says13(wire.ExtALPN, 0, 5, 4, 'i', 'm', 'a', 'p')),
	illegal("no application protocol in common", only(wire.TLS13, protocols("h2", "h2")), wire.Server, says13(wire.ExtALPN, 0, 6, 2, 'h', '2', 2, 'h', '2')),
	illegal("resumes a session that we did not offer", both(serverOnly12, func(c, _ *host) { c.config.Rand = zeros{} }), wire.Server,
		serverHello(func(m *wire.ServerHello) { m.SessionID = make([]byte, 32) })),
	illegal("resumes a session with another cipher suite", hostsTicket, wire.Server, serverHello(func(m *wire.ServerHello) { m.CipherSuite = wire.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 })),
	illegal("resumes a session with another compression", resumed(only(wire.TLS12, tickets, func(c, _ *host) { c.config.Compression = true })), wire.Server,
		serverHello(func(m *wire.ServerHello) { m.CompressionMethod = wire.CompressionDeflate })),
	{"changes extended master secret", wire.AlertHandshakeFailure, hostsTicket, wire.Server, serverHello(func(m *wire.ServerHello) { without(&m.Extensions, wire.ExtExtendedMasterSecret) })},
	{"the server's Certificate is empty", wire.AlertDecodeError, hosts12, wire.Server, change(func(m *wire.Certificate) { m.Entries = nil })},
	{"the server's Certificate is empty", wire.AlertDecodeError, hosts13, wire.Server, change(func(m *wire.Certificate) { m.Entries = nil })},
	illegal("a key of the wrong kind", hosts12, wire.Server, serverHello(func(m *wire.ServerHello) { m.CipherSuite = wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 })),
	illegal("certificate_request_context must be empty", hosts13, wire.Server, change(func(m *wire.Certificate) { m.RequestContext = []byte{1} })),
	illegal("certificate_request_context must be empty", hostsAuth13, wire.Server, change(func(m *wire.CertificateRequest) { m.RequestContext = []byte{1} })),
	{"CertificateRequest lacks signature_algorithms", wire.AlertMissingExtension, hostsAuth13, wire.Server, change(func(m *wire.CertificateRequest) { m.Extensions = nil })},
	{"a certificate has an extension", wire.AlertUnsupportedExtension, hosts13, wire.Server, change(func(m *wire.Certificate) { set(&m.Entries[0].Extensions, 0x1234) })},
	illegal("a message it does not belong in", hosts13, wire.Server, change(func(m *wire.Certificate) { set(&m.Entries[0].Extensions, wire.ExtServerName) })),
	{"certificate is refused", wire.AlertBadCertificate, hosts12, wire.Server, change(func(m *wire.Certificate) { m.Entries[0].DER = []byte("no DER") })},
	{"certificate is refused", wire.AlertBadCertificate, then(hosts13, func(c, _ *host) { c.name = "wrong.test" }), wire.Server, nil},
	illegal("no group in common", hosts12, wire.Server, change(func(m *wire.ServerKeyExchange) { m.Group = wire.GroupP521 })),
	illegal("no group in common", hosts12, wire.Server, change(func(m *wire.ServerKeyExchange) { m.Group = wire.GroupX25519MLKEM768 })),
	illegal("no signature scheme in common", hosts12, wire.Server, change(func(m *wire.ServerKeyExchange) { m.Scheme = wire.ECDSASHA1 })),
	illegal("does not fit its key", hosts12, wire.Server, change(func(m *wire.ServerKeyExchange) { m.Scheme = wire.RSAPSSRSAESHA256 })),
	illegal("does not fit its key", hosts13, wire.Server, change(func(m *wire.CertificateVerify) { m.Scheme = wire.Ed25519 })),
	illegal("the server's ephemeral key is not valid", hosts12, wire.Server, resign),
	{"the peer's signature is wrong", wire.AlertDecryptError, then(hosts12, func(_, s *host) { s.certificate = keyed("ecdsa", lie) }), wire.Server, nil},
	{"the peer's signature is wrong", wire.AlertDecryptError, then(hosts13, func(_, s *host) { s.certificate = keyed("ecdsa", lie) }), wire.Server, nil},
	{"the peer's signature is wrong", wire.AlertDecryptError, only(wire.TLS13, func(_, s *host) { s.certificate = keyed("rsa", lie) }), wire.Server, nil},
	{"the peer's signature is wrong", wire.AlertDecryptError, only(wire.TLS13, func(_, s *host) { s.certificate = keyed("ed25519", lie) }), wire.Server, nil},
	{"the peer's signature is wrong", wire.AlertDecryptError, hosts12, wire.Server, change(func(m *wire.ServerKeyExchange) { m.Share[5] ^= 1 })},
	{"the peer's Finished is wrong", wire.AlertDecryptError, hosts12, wire.Server, flip(wire.TypeFinished, -1)},
	{"the peer's Finished is wrong", wire.AlertDecryptError, hosts13, wire.Server, flip(wire.TypeFinished, -1)},
	{"the peer's Finished is wrong", wire.AlertDecryptError, hostsTicket, wire.Server, flip(wire.TypeFinished, 4)},
	{"the peer's Finished has 0 bytes", wire.AlertDecodeError, hostsPSK, wire.Server, instead(wire.TypeFinished, 20, 0, 0, 0)},
	illegal("lifetime is above seven days", only(wire.TLS13, tickets), wire.Server, change(func(m *wire.NewSessionTicket) { m.Lifetime = 7*86400 + 1 })),
	{"does not parse", wire.AlertDecodeError, hosts13, wire.Server, says13(wire.ExtServerName, 0)},
	{"does not parse", wire.AlertDecodeError, hosts12, wire.Server, says(wire.ExtExtendedMasterSecret, 0)},
}

// ofOurs are what our own side cannot do: the victim is the side that breaks the rule.
var ofOurs = []offence{
	{"the server has no certificate", wire.AlertInternalError, then(hosts13, func(_, s *host) { s.certificate = nil }), wire.Client, nil},
	{"can neither sign nor decrypt", wire.AlertInternalError, then(hosts12, func(_, s *host) {
		s.certificate = keyed("ecdsa", func(crypto.Signer) any { return 1 })
	}), wire.Client, nil},
	{"private key cannot sign", wire.AlertInternalError, then(hosts13, func(_, s *host) {
		s.certificate = keyed("ecdsa", func(k crypto.Signer) any { return publicOnly{k} })
	}), wire.Client, nil},
	{"signing with the certificate's key failed", wire.AlertInternalError, then(hosts12, func(_, s *host) {
		s.certificate = keyed("ecdsa", func(k crypto.Signer) any { return brokenSigner{k} })
	}), wire.Client, nil},
	{"no randomness could be had", wire.AlertInternalError, then(hosts12, func(_, s *host) { s.config.Rand = noReader{} }), wire.Client, nil},
	{"no randomness could be had", wire.AlertInternalError, then(hosts13, func(c, _ *host) { c.config.Rand = noReader{} }), wire.Server, nil},
	{"no key share could be made", wire.AlertInternalError, then(hosts13, func(c, _ *host) { c.config.Groups = []wire.NamedGroup{wire.GroupMLKEM512} }), wire.Server, nil},
	{"no ephemeral key could be made", wire.AlertInternalError, then(hosts12, func(c, s *host) {
		c.config.Groups = []wire.NamedGroup{wire.GroupMLKEM512}
		s.config.Groups = c.config.Groups
	}), wire.Client, nil},
	{"no client certificate could be had", wire.AlertInternalError, then(hostsAuth13, func(c, _ *host) { c.config.Host = failing{host: c, clientCertificate: true} }), wire.Server, nil},
	{"GetCertificate failed for this client", wire.AlertInternalError, then(hosts12, func(_, s *host) { s.config.Host = failing{host: s, certificate: true} }), wire.Client, nil},
	{"the key log could not be written", wire.AlertInternalError, then(hosts12, func(c, _ *host) { c.config.Host = failing{host: c, log: true} }), wire.Server, nil},
}

// commit plays an offence and returns who must have noticed.
func (o offence) commit(t testing.TB) *side {
	how := o.how
	if how == nil {
		how = func(_ *records, raw []byte) [][]byte { return [][]byte{raw} }
	}
	return flow{hosts: o.hosts}.run(t, o.by, how)
}

func offences() []offence {
	return slices.Concat(ofClients, ofServers, ofOurs, ofExchanges, ofFurther, ofRare, ofECH, ofEarly, ofPSK, ofCertificates)
}

func TestEveryOffenceHasItsAlert(t *testing.T) {
	for _, o := range offences() {
		t.Run(o.by.String()+"/"+o.rule, func(t *testing.T) {
			victim := o.commit(t)
			victim.wants(t, o.alert)
			if victim.err == nil || !strings.Contains(victim.err.Error(), o.rule) {
				t.Errorf("the error is %v; want one with %q", victim.err, o.rule)
			}
			if n := len(victim.sent); n != 1 {
				t.Errorf("%d alerts were sent", n)
			}
			if n, err := victim.Write([]byte("x")); n != 0 || err == nil {
				t.Error("data can be written after a fatal alert")
			}
		})
	}
}
