package handshake

import (
	"context"
	stdtls "crypto/tls"
	"crypto/x509"
	"io"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/certcompress"
	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// Config is what one side brings to a handshake, with every default filled in.
// It may serve many connections at once and is never written to.
type Config struct {
	Rand io.Reader        // of hello randoms; keys have a source of their own
	Time func() time.Time // now

	Versions []wire.Version         // newest first
	Suites   []*suite.Suite         // best first, of all versions
	Groups   []wire.NamedGroup      // best first
	Schemes  []wire.SignatureScheme // that we verify, best first
	Signs    []wire.SignatureScheme // that we sign with; nil for Schemes
	ALPN     []string               // best first

	NoExtendedMasterSecret bool
	// RequireExtendedMasterSecret refuses a peer without it, up to TLS 1.2.
	RequireExtendedMasterSecret bool
	NoEncryptThenMAC            bool
	// UnsafeRenegotiation allows one with a peer that does not know RFC 5746.
	UnsafeRenegotiation bool
	// RequireRFC5746 refuses a peer without it at once.
	RequireRFC5746 bool
	// AllowPeerChange lets a peer show another certificate in a renegotiation.
	AllowPeerChange bool
	// AnyKeyUsage takes keys whose certificates do not allow what they are used for.
	AnyKeyUsage bool
	GREASE      bool // RFC 8701
	// Shuffle has a client's extensions in random order.
	Shuffle     bool
	Compression bool // offer or accept DEFLATE, RFC 3749
	// SizeLimit is the most plaintext in a record that we take, RFC 8449; 0
	// says nothing.
	SizeLimit int

	// ShowTypes are the types of certificate that we show, best first, AcceptTypes those
	// that we take of the peer; empty for X.509 alone. RFC 7250.
	ShowTypes, AcceptTypes []wire.CertificateType
	// CertCompressions are the algorithms for Certificate messages of both sides, best
	// first. RFC 8879.
	CertCompressions []certcompress.Algorithm

	// IssuerStaple returns the OCSP response to send with a certificate of our chain after
	// its leaf, nil for none; it may be nil itself.
	IssuerStaple func(der []byte) []byte

	// Client.
	ServerName string // for server_name; empty sends none
	// AskForChain offers status_request_v2, RFC 6961.
	AskForChain bool
	Fallback    bool // send TLS_FALLBACK_SCSV, RFC 7507
	Sessions    bool // offer and keep sessions
	// MinDHBits is the least size of a group for DHE that we take.
	MinDHBits         int
	MaxFragmentLength wire.MaxFragmentLength // RFC 6066 §4; 0 offers none
	// KeyShares are the groups to send shares of, some of Groups; nil for the best.
	KeyShares         []wire.NamedGroup
	PostHandshakeAuth bool // RFC 8446 §4.2.6
	EarlySize         int  // bytes of early data to send, if the session allows; 0 for none
	// ECH is what the hello is encrypted to, RFC 9849; nil for nothing.
	ECH *ECHOffer
	// External are PSKs to offer in TLS 1.3.
	External []ExternalPSK
	// DelegatedSchemes are those that we take of delegated credentials, some of Schemes;
	// nil takes none. RFC 9345.
	DelegatedSchemes []wire.SignatureScheme

	// Server.
	AdaptSuites bool // give clients without AES instructions ChaCha20
	ClientOrder bool // the client's order of suites rules
	SSL2Hello   bool // take a ClientHello in the format of SSL 2.0
	// Certified: there is a certificate to be had. Without, only suites that
	// need none can be agreed on.
	Certified   bool
	Delegates   bool    // Delegated may have a credential
	DH          *kex.DH // our own parameters for DHE; nil for RFC 7919's
	PSKHint     string  // RFC 4279 §5.2
	RetryCookie bool    // put a cookie in every HelloRetryRequest
	ClientAuth  stdtls.ClientAuthType
	ClientCAs   [][]byte // DER names for CertificateRequest
	Tickets     bool
	// TicketCount is how many a handshake of TLS 1.3 ends with where the client does not say,
	// 1 at least. TicketsMost is the most that it may ask for; 0 does not listen. RFC 9149.
	TicketCount, TicketsMost int
	// TicketRequest is what a client asks for; nil for nothing.
	TicketRequest *wire.TicketRequest
	Store         bool   // keep sessions under session IDs
	Early         *Early // nil takes no early data

	// QUIC carries the messages in place of records; nil mostly.
	QUIC QUIC
	// ECHServer: ECHKeys is to be asked.
	ECHServer bool

	// AsksExternal: ExternalPSK is to be asked for the PSKs of TLS 1.3 that are no tickets.
	AsksExternal bool

	// NeedsPSK refuses a handshake without an external PSK, or a session of one.
	NeedsPSK bool
	// Beside demands a certificate beside the external PSK. RFC 9973.
	Beside bool
	// PSKAlone allows psk_ke: a PSK without a key exchange. PrefersPSKAlone has a client
	// offer that alone, and a server pick it wherever it is offered.
	PSKAlone, PrefersPSKAlone bool
	// Node is whose Config this is, not nil: no node takes an external PSK for a hello of
	// its own.
	Node any
	// FirstNode is that of the Config in whose place GetConfigForClient put this one, if this
	// one names none; nil for none.
	FirstNode any

	// Verify: VerifyConnection is to be asked. LogKeys: KeyLog is.
	Verify, LogKeys bool
	Host
}

// Host is what the handshake asks of the code that runs it. Its methods are called
// one at a time.
type Host interface {
	// VerifyPeer checks the peer's chain with what was stapled to it, on resumption too,
	// and returns the verified chains. It is called only where the peer has certificates.
	VerifyPeer(context.Context, *State, []*x509.Certificate) ([][]*x509.Certificate, error)
	// VerifyKey is VerifyPeer for a peer that has shown a raw public key.
	VerifyKey(context.Context, *State, *RawKey) error
	// RawKey returns a key of ours to show bare, as a Certificate of which only the key and
	// what it may sign with count; nil for none. fits says that the peer can verify it. info
	// is what a client was asked for, nil on a server.
	RawKey(ctx context.Context, s *State, info *stdtls.CertificateRequestInfo) (key *stdtls.Certificate, fits bool, err error)
	// VerifyConnection is asked last.
	VerifyConnection(*State) error
	// KeyLog is given each secret that opens a capture.
	KeyLog(label string, clientRandom, secret []byte) error

	// ClientCertificate answers a CertificateRequest. A certificate with an
	// empty chain means none; others are then those at hand, of which none fits.
	ClientCertificate(*stdtls.CertificateRequestInfo) (picked *stdtls.Certificate, others []stdtls.Certificate, err error)
	// ClientPSK returns the identity and key for a server's hint.
	ClientPSK(hint string) (identity string, key []byte, err error)
	// LoadSession returns a session to offer, or nil.
	LoadSession(context.Context, *State) *ClientSession
	SessionSaver

	// ForClient may replace the Config once the offer is known; nil keeps it.
	ForClient(context.Context, *State) (*Config, error)
	// ECHKeys returns the keys by which hellos are opened. State.Offer has the outer one.
	ECHKeys(context.Context, *State) ([]ECHKey, error)
	// ServerPSK returns the key of an identity; an empty one where it is not known.
	ServerPSK(identity string) ([]byte, error)
	// ExternalPSK returns the key of an identity in TLS 1.3; nil where it is not known.
	ExternalPSK(identity []byte) (*ExternalPSK, error)
	// Certificate picks the server's certificate for the offer.
	Certificate(context.Context, *State) (*stdtls.Certificate, error)
	// Delegated returns the delegated credentials for a certificate that was picked, best
	// first; nil for none.
	Delegated(*stdtls.Certificate) []*Delegated
	// SealTicket and OpenTicket are the ticket's door to a session, PutSession
	// and GetSession that of the session ID. A session that is not to be
	// resumed is a nil one. SealTicket's, and the ticket that it makes, may be in
	// State.Sealing, OpenTicket's in State.Opening: what is kept of them is a copy.
	SealTicket(*State, *session.Session) ([]byte, error)
	OpenTicket(*State, []byte) *session.Session
	// RenewTicket reports whether a client that has come with that ticket, in TLS
	// 1.2, is to get another.
	RenewTicket([]byte) bool
	PutSession(context.Context, []byte, *session.Session) error
	GetSession(context.Context, []byte) *session.Session
	// Binding digests the rules that a session depends on: those of the Config
	// and, of the State, the server name, compression and limit for sending.
	Binding(*State) [32]byte
}

// SessionSaver keeps a client's session, during the handshake and after it.
type SessionSaver interface {
	SaveSession(*Result, *ClientSession)
}

// ClientSession is a session that a client may resume, and its handle.
type ClientSession struct {
	*session.Session
	Ticket []byte // a ticket, or
	ID     []byte // a session ID
}

// supports reports whether v is switched on.
func (c *Config) supports(v wire.Version) bool {
	for _, have := range c.Versions {
		if have == v {
			return true
		}
	}
	return false
}

// Uses reports whether a version that is switched on has the suite.
func (c *Config) Uses(s *suite.Suite) bool {
	return slices.ContainsFunc(c.Versions, func(v wire.Version) bool { return usable(s, v) })
}

// newest returns the newest version that is switched on.
func (c *Config) newest() wire.Version { return c.Versions[0] }
