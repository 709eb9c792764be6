package handshake

import (
	"crypto/x509"
	"hash"
	"slices"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// Result is what outlives the handshake. A connection that is idle holds little else,
// so what only some connections have stands apart: see [State.Settle].
type Result struct {
	Agreed
	Secrets Secrets
	Peer    *Peer
	*Extra
}

// Agreed is what the two sides have settled.
type Agreed struct {
	Version      wire.Version
	Group        wire.NamedGroup      // 0 where there was no (EC)DHE in a group with a number
	ServerScheme wire.SignatureScheme // that the server signed with; 0 for none
	ClientScheme wire.SignatureScheme
	Compression  wire.CompressionMethod
	Resumption   Resumption
	// ServerCertificate and ClientCertificate are how the sides show their keys. RFC 7250.
	ServerCertificate, ClientCertificate wire.CertificateType
	HelloRetry                           bool
	ExtendedMasterSecret                 bool
	EncryptThenMAC                       bool
	SecureRenegotiation                  bool // the peer signalled RFC 5746
	PostHandshakeAuth                    bool // the client may be asked for a certificate later, RFC 8446 §4.6.2
	ClientAuth                           bool // the server asked for a certificate
	QUIC                                 bool // QUIC carries the messages, and there are no records
	EarlyData                            EarlyData
	ECHAccepted                          bool // the hello that counted came encrypted, RFC 9849
	// TicketsExpected is how many tickets the server has told that it would send. RFC 9149.
	TicketsExpected uint8
	Suite           *suite.Suite
	ALPN            string
	ServerName      string
	// SendLimit and ReceiveLimit are the most bytes of plaintext in a record, 0
	// for the protocol's own limit. RFC 6066 §4, RFC 8449.
	SendLimit, ReceiveLimit int32
}

// limit sets the limits of both directions.
func (a *Agreed) limit(send, receive int) {
	a.SendLimit, a.ReceiveLimit = int32(send), int32(receive)
}

// Resumption is how a connection continues an earlier session.
type Resumption uint8

const (
	ResumedNone Resumption = iota
	ResumedByID
	ResumedByTicket
	ResumedByPSK
)

func (r Resumption) String() string {
	return [...]string{"none", "id", "ticket", "psk"}[r]
}

// Extra is what few connections have.
type Extra struct {
	DHBits      int    // of the finite field, 0 where there was none
	PSKIdentity string // of a pre-shared key that is no session, or that the session began with
	// PSK is that key, as a session keeps it; nil for none. It is not written to.
	PSK *session.PSK
	// ClientMisfit is why what a client has at hand does not fit what the server
	// asked for, in the words of Misfit.
	ClientMisfit string
	// Shown is what the client has shown of itself, in the handshake that made the
	// session; see [Shown].
	Shown [32]byte
	// transcript is the hash of the whole handshake, kept where the client may be
	// asked for a certificate later.
	transcript hash.Hash
	// finished30 is the verify_data of SSL 3.0, the client's first.
	finished30 *[2][keys.FinishedLen30]byte
}

// Peer is what is known of the other side.
type Peer struct {
	Certificates []*x509.Certificate // its chain, leaf first
	Chains       [][]*x509.Certificate
	*Stapled
}

// Stapled is what came with a chain or in its place, and what was learnt of it.
type Stapled struct {
	// Revocation is what was learnt of the certificates of the first chain but its root; nil
	// for nothing. Host.VerifyPeer fills it in.
	Revocation []revocation.Answer
	OCSP       []byte
	// IssuerOCSP are the OCSP responses of the certificates after the leaf, in their order; an
	// empty one, or none at the end, for a certificate without.
	IssuerOCSP [][]byte
	SCTs       [][]byte
	// RawKey is what the peer has shown in place of a chain; nil mostly. RFC 7250.
	RawKey *RawKey
	// Delegated is the credential that came with the chain; nil mostly. RFC 9345.
	Delegated *Delegation
}

func (s *Stapled) empty() bool {
	return s.RawKey == nil && s.Delegated == nil && s.Revocation == nil && s.OCSP == nil && s.IssuerOCSP == nil && s.SCTs == nil
}

// Secrets are those that are used after the handshake.
type Secrets struct {
	// Master is the master secret up to TLS 1.2, and the exporter master
	// secret in TLS 1.3.
	Master [maxHash]byte
	// Resumption is TLS 1.3's resumption master secret. In TLS 1.0 to 1.2 the verify_data of
	// both sides stand there, see [Result.Finished].
	Resumption [maxHash]byte
	*Hellos
	// OwnCertificate is where our leaf stands in DER, for tls-server-end-point; nil for none.
	OwnCertificate *[]byte
}

// Hellos are what both sides have contributed. TLS 1.3 needs them no more after the
// handshake.
type Hellos struct {
	// Randoms of both sides: TLS 1.2's exporter takes them.
	ClientRandom, ServerRandom [32]byte
}

// settled is what is kept of a Peer, in few pieces of memory: most have one chain, which
// begins with what the peer has sent.
func settled(p *Peer, stapled *Stapled) *Peer {
	if len(p.Chains) != 1 {
		return &Peer{p.Certificates, p.Chains, stapled}
	}
	kept := &struct {
		Peer
		chain [1][]*x509.Certificate
	}{Peer: Peer{Certificates: p.Certificates, Stapled: stapled}}
	kept.chain[0] = p.Chains[0]
	kept.Chains = kept.chain[:]
	if n := len(p.Certificates); n <= len(p.Chains[0]) && slices.Equal(p.Certificates, p.Chains[0][:n]) {
		kept.Certificates = p.Chains[0][:n:n]
	}
	return &kept.Peer
}

// Finished is the verify_data of role's Finished up to TLS 1.2, for RFC 5746 and tls-unique:
// 12 bytes, or 36 in SSL 3.0. It is r's own, and zeros before it is known; nil in TLS 1.3.
func (r *Result) Finished(role wire.Role) []byte {
	switch profile := ProfileOf(r.Version); {
	case profile == nil || profile.schedule == nil:
		return nil
	case profile.schedule.FinishedLen != keys.FinishedLen30:
		return r.Secrets.Resumption[placeOf(role)*keys.VerifyDataLen:][:keys.VerifyDataLen]
	case r.Extra == &noExtra: // which all results share: nothing was ever known
		return make([]byte, keys.FinishedLen30)
	case r.Extra.finished30 == nil:
		r.Extra.finished30 = new([2][keys.FinishedLen30]byte)
	}
	return r.Extra.finished30[placeOf(role)][:]
}

// placeOf is where what both sides have stands in a list, the client's first.
func placeOf(role wire.Role) int {
	if role == wire.Client {
		return 0
	}
	return 1
}

// growing is where a Result has its parts while the handshake fills them in: in the
// pooled State.
type growing struct {
	peer    Peer
	stapled Stapled
	hellos  Hellos
	extra   Extra
}

// What a Result points to that has nothing of a kind. Nobody writes to them.
var (
	noStapled Stapled
	noPeer    = Peer{Stapled: &noStapled}
	noHellos  Hellos
	noExtra   Extra
)

// unsettle has the Result grow in the State. What it has so far, copied from another, is
// kept.
func (s *State) unsettle() {
	r, g := s.Result, &s.growing
	if r.Peer != nil {
		g.peer, g.stapled = *r.Peer, *r.Peer.Stapled
	}
	if r.Secrets.Hellos != nil {
		g.hellos = *r.Secrets.Hellos
	}
	if r.Extra != nil {
		g.extra = *r.Extra
	}
	g.peer.Stapled = &g.stapled
	r.Peer, r.Secrets.Hellos, r.Extra = &g.peer, &g.hellos, &g.extra
}

// forgetPeer takes back what was known of the peer's certificate.
func (s *State) forgetPeer() {
	s.growing.stapled = Stapled{}
	s.growing.peer = Peer{Stapled: &s.growing.stapled}
}

// Settle takes the Result out of the State: each part that has something is allocated,
// and nothing stays for one that has not. Only then may others see a Result whose
// handshake is complete. Release does it too.
func (s *State) Settle() {
	r, g := s.Result, &s.growing
	if r == nil || r.Peer != &g.peer {
		return
	}
	r.Peer, r.Secrets.Hellos, r.Extra = &noPeer, &noHellos, &noExtra
	stapled := &noStapled
	if !g.stapled.empty() {
		stapled = new(Stapled)
		*stapled = g.stapled
	}
	if g.peer.Certificates != nil || stapled != &noStapled {
		r.Peer = settled(&g.peer, stapled)
	}
	if s.profile != nil && s.profile.schedule != nil {
		r.Secrets.Hellos = new(Hellos)
		*r.Secrets.Hellos = g.hellos
	}
	if g.extra != (Extra{}) {
		r.Extra = new(Extra)
		*r.Extra = g.extra
	}
}
