package tls

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"sync"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// host is a Conn as its handshake sees it: what the application decides.
type host Conn

// VerifyPeer verifies the peer's chain by the Config.
func (h *host) VerifyPeer(ctx context.Context, s *handshake.State, chain []*x509.Certificate) (chains [][]*x509.Certificate, err error) {
	c := h.config
	o := certcheck.Options{Staples: s.Staples(), MustStaple: s.AskedForStaples(), Answers: &s.Result.Peer.Revocation}
	if s.ECHRejected() {
		return h.verifyRejecting(ctx, s, chain, o)
	}
	if chains, err = h.verifyChain(ctx, s.Role, s.Config.ClientAuth, chain, o); err != nil {
		return nil, err
	}
	if c.VerifyPeerCertificate != nil {
		raw := make([][]byte, len(chain))
		for i, cert := range chain {
			raw[i] = cert.Raw
		}
		if err := c.VerifyPeerCertificate(raw, chains); err != nil {
			return nil, err
		}
	}
	return chains, nil
}

// verifyChain verifies the chain of the peer, where that is wanted: a client's, where
// it is demanded. Else it looks at the leaf's key, with which the peer signs, or to
// which a premaster is encrypted. o has what came with the chain.
func (h *host) verifyChain(ctx context.Context, role wire.Role, demanded ClientAuthType, chain []*x509.Certificate, o certcheck.Options) ([][]*x509.Certificate, error) {
	c := h.config
	o.Roots, o.Name = c.RootCAs, c.ServerName
	verify := !c.InsecureSkipVerify
	if role == wire.Server {
		verify = demanded >= VerifyClientCertIfGiven
		o.Roots, o.Name, o.Usages = c.ClientCAs, "", clientUsages
	}
	if !verify {
		if len(chain) == 0 {
			return nil, nil
		}
		return nil, certcheck.StrongKey(chain[0], c.minRSABits())
	}
	return h.verifyBy(ctx, chain, o)
}

// minRSABits is the size that keys of the peer have at least; 0 is for certcheck's.
func (c *Config) minRSABits() int {
	if c.Legacy.SmallRSA {
		return certcheck.MinRSABits
	}
	return 0
}

// verifyBy verifies a chain by the Config, in which nothing says that it need not be.
func (h *host) verifyBy(ctx context.Context, chain []*x509.Certificate, o certcheck.Options) ([][]*x509.Certificate, error) {
	c := h.config
	o.MinRSABits = c.minRSABits()
	o.Anew, o.LegacySignatures = c.VerifyAnew, c.Legacy.SHA1Chains
	o.Time, o.Profile, o.Revocation, o.Schemes = c.now(), c.VerifyProfile, c.Revocation, c.namedInChains()
	if o.Revocation == nil {
		o.Revocation = softly
	}
	return certcheck.Verify(ctx, chain, o)
}

var clientUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}

// softly is Config.Revocation where none is given. Its cache is one for all Configs, as a
// response is no less true for another.
var softly = &revocation.Checker{Mode: revocation.Soft, Cache: &revocation.Cache{Budget: 1 << 20}}

// ClientPSK asks PSK.Client.
func (h *host) ClientPSK(hint string) (string, []byte, error) { return h.config.PSK.Client(hint) }

// ServerPSK asks PSK.Server.
func (h *host) ServerPSK(identity string) ([]byte, error) { return h.config.PSK.Server(identity) }

func (h *host) VerifyConnection(s *handshake.State) error {
	cs := connectionState(s.Result, !s.Asking())
	cs.TLSUnique = nil // zeros where no Finished came before: nobody could tell
	switch {
	case s.Asking():
		handshake.SetExporter(&cs, notYet)
	case !s.Keyed():
		handshake.SetExporter(&cs, func(string, []byte, int) ([]byte, error) {
			return nil, &handshake.Error{Rule: "a client cannot export keying material in VerifyConnection up to TLS 1.2: it is asked before there are keys"}
		})
	}
	return h.config.VerifyConnection(cs)
}

var keyLogMutex sync.Mutex

// KeyLog writes a line of the NSS key log format.
func (h *host) KeyLog(label string, clientRandom, secret []byte) error {
	line := make([]byte, 0, len(label)+2*len(clientRandom)+2*len(secret)+3)
	line = append(append(line, label...), ' ')
	line = append(hex.AppendEncode(line, clientRandom), ' ')
	line = append(hex.AppendEncode(line, secret), '\n')
	keyLogMutex.Lock()
	defer keyLogMutex.Unlock()
	_, err := h.config.KeyLogWriter.Write(line)
	return err
}

// ClientCertificate picks what to show to a server that asks.
func (h *host) ClientCertificate(info *CertificateRequestInfo) (picked *Certificate, others []Certificate, err error) {
	c := h.config
	if c.GetClientCertificate != nil {
		cert, err := c.GetClientCertificate(info)
		if err == nil && cert == nil {
			err = misuse("GetClientCertificate returned neither a certificate nor an error")
		}
		return cert, nil, err
	}
	for i := range c.Certificates {
		if cert := &c.Certificates[i]; canShow(info, cert) {
			return cert, nil, nil
		}
	}
	return new(Certificate), c.Certificates, nil
}

// canShow is SupportsCertificate, for the keys and schemes too that crypto/tls does not know.
func canShow(info *CertificateRequestInfo, cert *Certificate) bool {
	if slices.ContainsFunc(cert.SupportedSignatureAlgorithms, func(s SignatureScheme) bool { return slices.Contains(clientSchemes, wire.SignatureScheme(s)) }) {
		return handshake.Misfit(info, cert) == ""
	}
	if leaf, err := leafOf(cert); err == nil && (leaf.PublicKey == nil || leaf.PublicKeyAlgorithm == x509.DSA) {
		return handshake.Misfit(info, cert) == ""
	}
	return info.SupportsCertificate(cert) == nil
}

// ForClient asks GetConfigForClient.
func (h *host) ForClient(ctx context.Context, s *handshake.State) (*handshake.Config, error) {
	(*Conn)(h).forgetHello()
	if h.config.GetConfigForClient == nil {
		return nil, nil
	}
	next, err := h.config.GetConfigForClient(h.helloInfo(ctx, s))
	if err != nil || next == nil {
		return nil, err
	}
	if !next.hasTicketKeys() {
		h.ticketKeys = h.config.ticketKeys()
	}
	h.config = next
	next.fill(&h.options)
	resolved := new(handshake.Config)
	if err := next.resolveServer(resolved, h); err != nil {
		return nil, err
	}
	if next.PSK.Node == "" { // it is of the same endpoint
		resolved.FirstNode = s.Config.Node
	}
	(*Conn)(h).resolveEarly(resolved)
	return resolved, nil
}

// Certificate picks the server's certificate: GetCertificate's, or the first
// of Certificates for the name that the client can verify.
func (h *host) Certificate(ctx context.Context, s *handshake.State) (*Certificate, error) {
	c := h.config
	if c.GetCertificate != nil && (len(c.Certificates) == 0 || s.Offer.ServerName != "") {
		cert, err := c.GetCertificate(h.helloInfo(ctx, s))
		if cert != nil || err != nil {
			return cert, err
		}
	}
	return c.pickCertificate(s)
}

// helloInfo shows the ClientHello to the application, made once.
func (h *host) helloInfo(ctx context.Context, s *handshake.State) *ClientHelloInfo {
	made := (*Conn)(h).ofHandshake()
	if made.hello == nil {
		made.hello = helloInfo(&s.Offer)
		made.hello.Conn = h.conn
		made.hello.HelloRetryRequest = s.Result.HelloRetry
		handshake.SetContext(made.hello, ctx)
	}
	return made.hello
}

// resolveServer adds what only a server needs.
func (c *Config) resolveServer(r *handshake.Config, host handshake.Host) error {
	if err := c.resolve(r, host); err != nil {
		return err
	}
	r.Certified = len(c.Certificates) > 0 || c.GetCertificate != nil || len(c.RawPublicKeys.Keys) > 0
	r.AsksExternal = c.PSK.ExternalServer != nil
	bare := r.AsksExternal && r.Has13() || slices.ContainsFunc(r.Suites, func(s *suite.Suite) bool { return !certified(s) })
	switch {
	case len(c.Certificates) == 0 && c.GetCertificate == nil && len(c.RawPublicKeys.Keys) > 0 && slices.Contains(r.ShowTypes, CertificateTypeX509):
		return misuse("RawPublicKeys.Show lists certificates, and there is none")
	case r.NeedsPSK && !r.AsksExternal:
		return misuse("PSK.Required and PSK.WithCertificate need keys; set PSK.ExternalServer")
	case r.Beside && !r.Certified && c.GetConfigForClient == nil:
		return misuse("PSK.WithCertificate needs a certificate; set Certificates or GetCertificate")
	case r.AsksExternal && !r.Beside && demands(c.ClientAuth) && (r.NeedsPSK || !r.Certified && c.GetConfigForClient == nil):
		return misuse("ClientAuth demands a certificate of clients, which TLS 1.3 does not ask for beside a key of PSK.ExternalServer, so that nobody could come in; set PSK.WithCertificate to demand both, or another ClientAuth")
	case r.AsksExternal && !r.Has13():
		return misuse("PSK.ExternalServer is for TLS 1.3, which MaxVersion leaves out; set PSK.Server for the versions before")
	case !r.Certified && !bare && c.GetConfigForClient == nil:
		return misuse("a server needs Certificates, GetCertificate or GetConfigForClient")
	case c.PSK.Server == nil && slices.ContainsFunc(r.Suites, needsPSK):
		return misuse("CipherSuites lists suites with pre-shared keys; set PSK.Server")
	case !c.Legacy.DSSSigning && slices.ContainsFunc(r.Suites, func(s *suite.Suite) bool { return s.Auth == suite.AuthDSS }):
		return misuse("CipherSuites lists DHE_DSS suites; a server signs with DSA in time that tells of its key, so it needs Legacy.DSSSigning")
	}
	if !r.Certified && c.GetConfigForClient == nil { // without a certificate TLS 1.3 needs a pre-shared key
		r.Suites = slices.DeleteFunc(slices.Clone(r.Suites), func(s *suite.Suite) bool {
			return certified(s) && !(r.AsksExternal && s.KeyExchange == wire.KeyExchangeNone)
		})
		r.Versions = slices.DeleteFunc(slices.Clone(r.Versions), func(v wire.Version) bool {
			return !slices.ContainsFunc(r.Suites, func(s *suite.Suite) bool { return s.Allows(v) })
		})
		if len(r.Versions) == 0 {
			return misuse("there is no certificate, and no suite in CipherSuites does without in the versions allowed")
		}
	}
	if c.ClientAuth != NoClientCert {
		r.ClientCAs = c.clientCAs()
	}
	return c.resolveECHKeys(r)
}

// demands reports whether clients without a certificate are turned away.
func demands(a ClientAuthType) bool {
	return a == RequireAnyClientCert || a == RequireAndVerifyClientCert
}

// Binding digests what a session of this server depends on: the name asked
// for, the policy for clients, and how strict the Config is. sessionFields in the tests
// says which fields stand here.
func (h *host) Binding(s *handshake.State) [32]byte {
	var room [64]byte
	var name [256]byte
	asked := append(name[:0], s.Result.ServerName...)
	rules := append(room[:0], byte(h.config.ClientAuth), byte(s.Result.Compression), byte(s.FragmentLength()))
	rules = h.config.appendRules(rules)
	authorities := h.config.clientCAs()
	if len(authorities) == 0 { // mostly, and then nothing is allocated
		return session.Binding(asked, rules)
	}
	return session.Binding(append([][]byte{bytes.Clone(asked), bytes.Clone(rules)}, authorities...)...)
}

// clientCAs are the DER names of the authorities for clients, nil for the
// system's.
func (c *Config) clientCAs() [][]byte {
	if c.ClientCAs == nil {
		return nil
	}
	//lint:ignore SA1019 only a system pool does not know its subjects
	return c.ClientCAs.Subjects()
}
