package engine

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	stdtls "crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// What goes wrong seldom: malformed extensions in every message that has any,
// sources that run dry in the middle, and keys that are good for nothing.

// fullDisk is a host whose key log takes room secrets, and no more.
type fullDisk struct {
	*host
	room int
}

func (f *fullDisk) KeyLog(string, []byte, []byte) error {
	if f.room--; f.room < 0 {
		return errors.New("the disk is full")
	}
	return nil
}

func logs(room int) func(c, s *host) {
	return func(c, _ *host) { c.config.Host = &fullDisk{c, room} }
}

// spoiled is a host whose sessions come back changed.
type spoiled struct {
	*host
	how func(*session.Session)
}

func (s spoiled) OpenTicket(state *handshake.State, ticket []byte) *session.Session {
	c := s.host.OpenTicket(state, ticket)
	s.how(c)
	return c
}

// exhausted is randomness that ends after n bytes.
func exhausted(n int) io.Reader { return io.LimitReader(rand.Reader, int64(n)) }

func noKey(crypto.Signer) any { return 1 }

// squared is a modulus of 2048 bits or more, and a generator whose square it divides.
func squared() (p, g []byte) {
	root := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 1030), big.NewInt(15))
	return new(big.Int).Mul(root, root).Bytes(), root.Bytes()
}

// noChain spoils what a client has kept, which takes every certificate.
func noChain(c, _ *host) {
	c.offer.PeerChain = [][]byte{[]byte("no DER")}
	c.config.Host = &trusting{host: c}
}

func noCertificate(_, s *host) {
	s.certificate, s.config.Certified = nil, false
	suites(wire.TLS_PSK_WITH_AES_128_GCM_SHA256)(s, nil)
}

func ownGroup(_, s *host) {
	dh, err := kex.NewDH(squared())
	if err != nil {
		panic(err)
	}
	s.config.DH = dh
}

// evenExponent is a certificate with an RSA key that nothing can be encrypted to.
func evenExponent() []byte {
	pub := *certificate("rsa").PrivateKey.(*rsa.PrivateKey).Public().(*rsa.PublicKey)
	pub.E = 2
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &pub, certificate("ecdsa").PrivateKey)
	if err != nil {
		panic(err)
	}
	return der
}

func malformed(hosts func(testing.TB) (client, server *host), by wire.Role, how edit) offence {
	return offence{"does not parse", wire.AlertDecodeError, hosts, by, how}
}

func entry(t wire.ExtensionType, body ...byte) edit {
	return change(func(m *wire.Certificate) { set(&m.Entries[0].Extensions, t, body...) })
}

func request(t wire.ExtensionType, body ...byte) edit {
	return change(func(m *wire.CertificateRequest) { set(&m.Extensions, t, body...) })
}

func ours(rule string, hosts func(testing.TB) (client, server *host), by wire.Role) offence {
	return offence{rule, wire.AlertInternalError, hosts, by, nil}
}

// fickle is an RSA key that decrypts and, once swapped, another.
type fickle struct {
	crypto.Decrypter
	swapped bool
}

func (f *fickle) Public() crypto.PublicKey {
	if f.swapped {
		return certificate("ecdsa").PrivateKey.(crypto.Signer).Public()
	}
	return f.Decrypter.Public()
}

// swap has the server's key swapped when the client answers its flight.
func swap() (hosts func(testing.TB) (client, server *host), how edit) {
	var key *fickle
	hosts = then(only(wire.TLS12, withRSA, staticRSA), func(_, s *host) {
		s.certificate = keyed("rsa", func(k crypto.Signer) any {
			key = &fickle{Decrypter: k.(crypto.Decrypter)}
			return key
		})
	})
	return hosts, on(wire.TypeClientKeyExchange, func(raw []byte) [][]byte { key.swapped = true; return [][]byte{raw} })
}

var swappedHosts, swapping = swap()

var ofRare = []offence{
	{"our certificate's key cannot decrypt a premaster", wire.AlertInternalError, swappedHosts, wire.Client, swapping},
	malformed(hosts13, wire.Client, clientHello(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtCertificateAuthorities, 0) })),
	malformed(hostsRetry, wire.Client, hello2(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtKeyShare, 0) })),
	malformed(hostsPSK, wire.Client, clientHello(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtPreSharedKey, 0) })),
	{"lacks key_share", wire.AlertMissingExtension, hostsRetry, wire.Client, hello2(func(m *wire.ClientHello) { without(&m.Extensions, wire.ExtKeyShare) })},
	{"we accept TLS_PSK_WITH_AES_128_GCM_SHA256, the peer offers TLS_ECDHE_", wire.AlertHandshakeFailure, then(hosts12, noCertificate), wire.Client, nil},

	malformed(only(wire.TLS12, protocols("h2", "h2")), wire.Server, says(wire.ExtALPN, 0)),
	malformed(only(wire.TLS13, protocols("h2", "h2")), wire.Server, says13(wire.ExtALPN, 0)),
	malformed(hosts13, wire.Server, says(wire.ExtKeyShare, 0)),
	malformed(hosts13, wire.Server, retryFor(1)),
	malformed(hostsRetry, wire.Server, once(wire.TypeServerHello, says(wire.ExtCookie, 0))),
	malformed(hostsRetry, wire.Server, second(wire.TypeServerHello, says(wire.ExtSupportedVersions, 3))),
	malformed(only(wire.TLS13, stapled), wire.Server, entry(wire.ExtStatusRequest, 1)),
	malformed(only(wire.TLS13, stapled), wire.Server, entry(wire.ExtSCT, 0)),
	malformed(hostsAuth13, wire.Server, request(wire.ExtSignatureAlgorithms, 0)),
	malformed(hostsAuth13, wire.Server, request(wire.ExtCertificateAuthorities, 0)),
	// supported_groups is taken from a server, of whatever groups: only that the two
	// sides have not seen the same ends the handshake. RFC 8446 §4.2.7.
	{"the peer's Finished is wrong", wire.AlertDecryptError, hostsPSK, wire.Server, says13(wire.ExtSupportedGroups, 0, 2, 0x5a, 0x5a)},
	malformed(hostsPSK, wire.Server, says13(wire.ExtSupportedGroups, 0)),
	malformed(hosts13, wire.Server, says13(wire.ExtSupportedGroups, 0, 0)),
	{"the premaster could not be encrypted", wire.AlertInternalError, then(only(wire.TLS12, withRSA, staticRSA), func(c, _ *host) { c.config.Host = &trusting{host: c} }), wire.Server,
		change(func(m *wire.Certificate) { m.Entries[0].DER = evenExponent() })},
	illegal("the Diffie-Hellman generator is of small order", exchange(wire.TLS_DH_anon_WITH_AES_128_GCM_SHA256), wire.Server, change(func(m *wire.ServerKeyExchange) { m.P, m.G = squared() })),
	{"the server's certificate is refused: not on a Sunday", wire.AlertBadCertificate, then(hosts12, func(c, _ *host) {
		c.config.Verify, c.refuse = true, errors.New("not on a Sunday")
	}), wire.Server, nil},
	{"not on a Sunday", wire.AlertAccessDenied, then(hosts13, func(c, _ *host) {
		c.config.Verify, c.refuse = true, &handshake.Error{Alert: wire.AlertAccessDenied, Rule: "not on a Sunday"}
	}), wire.Server, nil},
	{"certificate is refused", wire.AlertBadCertificate, then(hostsPSK, noChain), wire.Server, nil},
	{"certificate is refused", wire.AlertBadCertificate, then(hostsTicket, noChain), wire.Server, nil},

	ours("no randomness could be had", then(hosts13, func(_, s *host) { s.config.Rand = noReader{} }), wire.Client),
	ours("no randomness could be had", then(hostsRetry, func(_, s *host) { s.config.Rand = exhausted(32) }), wire.Client), // and none for a cookie
	ours("no randomness could be had", then(hosts13, func(c, _ *host) { c.config.Rand = exhausted(37) }), wire.Server),    // none for a session ID
	ours("no key share could be made", then(hosts13, func(c, _ *host) { c.config.KeyShares = []wire.NamedGroup{wire.GroupP256, wire.GroupMLKEM512} }), wire.Server),
	ours("the key log could not be written", then(hosts13, logs(0)), wire.Server),
	ours("the key log could not be written", then(hosts13, logs(1)), wire.Server),
	ours("the key log could not be written", then(hosts13, logs(2)), wire.Server),
	ours("the key log could not be written", then(hosts13, logs(4)), wire.Server),
	ours("can neither sign nor decrypt", then(hosts13, func(_, s *host) { s.certificate = keyed("ecdsa", noKey) }), wire.Client),
	ours("can neither sign nor decrypt", then(hostsAuth13, func(c, _ *host) { c.certificate = keyed("ecdsa", noKey) }), wire.Server),
	ours("the Diffie-Hellman generator is of small order", exchange(wire.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, ownGroup, func(c, s *host) {
		c.config.Groups = []wire.NamedGroup{wire.GroupP256}
	}), wire.Client),
}

// A session that makes no sense any more costs a full handshake, and the trace
// says why.
func TestSpoiledSessions(t *testing.T) {
	for _, test := range []struct {
		why string
		how func(*session.Session)
	}{
		{"its cipher suite is no longer implemented", func(c *session.Session) { c.Suite = 0x0a0a }},
		{"its client certificate is no longer accepted", func(c *session.Session) { c.PeerChain = [][]byte{[]byte("no DER")} }},
	} {
		for name, hosts := range map[string]func(testing.TB) (c, s *host){"TLS 1.2": only(wire.TLS12, tickets, clientAuth), "TLS 1.3": only(wire.TLS13, tickets, clientAuth)} {
			c, s := resumed(hosts)(t)
			s.config.Host = spoiled{s, test.how}
			l := connect(c, s).run().done(t).talk(t)
			if l.server.Result().Resumption != handshake.ResumedNone {
				t.Errorf("%s: resumed although %s", name, test.why)
			}
			if want := `choice resumption "": a full handshake is needed: ` + test.why; !slices.Contains(l.server.log, want) {
				t.Errorf("%s: the trace lacks %q", name, want)
			}
		}
	}
}

// A certificate of ours that is no certificate is sent as it is, and named so.
func TestOwnCertificateThatDoesNotParse(t *testing.T) {
	c, s := hosts13(t)
	s.certificate = &stdtls.Certificate{Certificate: [][]byte{[]byte("no DER")}, PrivateKey: certificate("ecdsa").PrivateKey}
	l := connect(c, s).run()
	l.client.wants(t, wire.AlertBadCertificate)
	if !slices.ContainsFunc(l.server.log, func(line string) bool {
		return strings.HasPrefix(line, `choice certificate "a certificate that does not parse"`)
	}) {
		t.Errorf("the trace is %q", l.server.log)
	}
}

// Whom the client's certificates are of is read, and changes nothing.
func TestClientHelloWithAuthorities(t *testing.T) {
	c := newHandmade(t, newSide(wire.Server, newServerHost()), wire.GroupP256)
	set(&c.hello.Extensions, wire.ExtCertificateAuthorities, wire.AppendAuthorities(nil, [][]byte{bytes.Repeat([]byte{0x30}, 40)})...)
	c.send(&c.hello)
	c.finish(c.serverHello())
	if c.server.err != nil || !c.server.Done() {
		t.Error(c.server.err)
	}
}

// A handshake record without content moves nothing, so it is refused: also after
// the handshake. RFC 8446 §5.1.
func TestEmptyHandshakeRecordAfterTheHandshake(t *testing.T) {
	for _, hosts := range []func(testing.TB) (c, s *host){hosts12, hosts13} {
		l := connect(hosts(t)).run().done(t)
		l.client.inject(t, wire.ContentHandshake)
		l.run().server.wants(t, wire.AlertUnexpectedMessage)
	}
}
