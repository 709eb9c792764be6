package tls

import (
	"context"
	"crypto/x509"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/certcompress"
	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
)

// Config says how connections are made. The zero value is safe: a client with
// it needs only a ServerName, a server only a certificate. It must not be
// changed once in use, and a field whose mechanism is not implemented yet makes
// every handshake fail rather than be ignored.
//
// A callback that panics, or ends its goroutine, costs its connection and nothing
// else. The panic goes on to the call of Conn that led to it; on a goroutine of
// vitrine's own it becomes the connection's error. The repository's docs/callbacks.md
// says of each callback where it is called.
//
// The fields up to GetEncryptedClientHelloKeys are those of crypto/tls.Config,
// with the same meaning unless said otherwise.
type Config struct {
	// Rand is where hello randoms come from; nil for crypto/rand. Keys have a
	// source of their own.
	Rand io.Reader
	// Time returns now; nil for time.Now.
	Time func() time.Time

	// Certificates are those of a server, chosen by name and by what the
	// client can verify, or those a client may show.
	Certificates []Certificate
	// NameToCertificate maps names to certificates, "*.example.com" included.
	//
	// Deprecated: names are matched without it.
	NameToCertificate map[string]*Certificate
	// GetCertificate returns the certificate for a ClientHello; a nil one
	// leaves the choice to Certificates.
	GetCertificate func(*ClientHelloInfo) (*Certificate, error)
	// GetClientCertificate answers a server's CertificateRequest. It must not
	// return nil without an error; an empty Certificate means none. It is also asked,
	// without AcceptableCAs, before a session is offered to a server that had asked:
	// the session is resumed only if the same certificate would be shown.
	GetClientCertificate func(*CertificateRequestInfo) (*Certificate, error)
	// GetConfigForClient may replace the Config for one ClientHello; nil keeps
	// it. Ticket keys stay the original's unless the new one has its own.
	GetConfigForClient func(*ClientHelloInfo) (*Config, error)
	// VerifyPeerCertificate is called after our own verification and may refuse.
	// Unlike in crypto/tls it is called on resumption too, where the chain is
	// verified again.
	VerifyPeerCertificate func(rawCerts [][]byte, verifiedChains [][]*x509.Certificate) error
	// VerifyConnection is called in every handshake, after all other checks, and may
	// refuse. A client calls it before it shows its own certificate. Up to TLS 1.2 that
	// is before there are keys, so nothing can be exported in it; with RSA key exchange
	// or a pre-shared key the server proves its identity only by its Finished, later.
	// A server that takes early data calls it before, with HandshakeComplete false and nothing to
	// export either.
	VerifyConnection func(ConnectionState) error
	// RootCAs are the authorities that a client trusts; nil for the system's.
	RootCAs *x509.CertPool
	// NextProtos are the application protocols for ALPN, best first. If both
	// sides have some and none in common, the handshake fails.
	NextProtos []string
	// ServerName is the name or IP address that the server's certificate must
	// be for. A name of letters, digits, hyphens, underscores and dots is also sent
	// for the server to choose by; others are not, as servers refuse them.
	ServerName string
	// ClientAuth is what the server demands of clients.
	ClientAuth ClientAuthType
	// LaterClientAuth is what Conn.RequestClientCertificate demands, and every
	// renegotiation after it. The zero value stands for what ClientAuth says and, where
	// that is NoClientCert, for VerifyClientCertIfGiven.
	LaterClientAuth ClientAuthType
	// ClientCAs are the authorities that client certificates must come from; nil for
	// the system's. Clients are told their names, up to 60 KiB; beyond that none of
	// them, and a client shows what it has.
	ClientCAs *x509.CertPool
	// InsecureSkipVerify accepts any certificate, but for RSA keys below 2048 bits, which
	// need Legacy.SmallRSA too. Anyone in between can read and change everything, unless
	// VerifyConnection checks in its place.
	InsecureSkipVerify bool
	// CipherSuites are the suites to use, best first; nil for the default. Their
	// numbers are constants here or, for every suite there is, in package wire:
	// uint16(wire.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256).
	// Those of TLS 1.3 may be listed too: if one is, the 1.3 suites are those
	// listed; if only they are, the default holds for TLS 1.2. A suite that is
	// not implemented, or whose switch in Legacy is off, fails the handshake.
	CipherSuites []uint16
	// PreferServerCipherSuites is without effect: the server's order rules
	// unless PreferClientCipherSuites is set.
	//
	// Deprecated: as in crypto/tls.
	PreferServerCipherSuites bool
	// SessionTicketsDisabled ends resumption by ticket and PSK; session IDs of
	// TLS 1.2 remain.
	SessionTicketsDisabled bool
	// SessionTicketKey is the ticket key of a fleet, if not zero.
	//
	// Deprecated: use SetSessionTicketKeys, which can rotate keys.
	SessionTicketKey [32]byte
	// ClientSessionCache keeps a client's sessions; nil resumes none.
	ClientSessionCache ClientSessionCache
	// UnwrapSession and WrapSession replace the server's sealing of tickets. An
	// error of theirs costs a full handshake, not the connection as in crypto/tls.
	UnwrapSession func(identity []byte, cs ConnectionState) (*SessionState, error)
	WrapSession   func(ConnectionState, *SessionState) ([]byte, error)
	// MinVersion and MaxVersion bound the versions; 0 for TLS 1.2 and TLS 1.3.
	MinVersion, MaxVersion uint16
	// CurvePreferences are the key-exchange groups, best first; nil for the
	// default. The client sends a key share for the first; see KeyShares.
	CurvePreferences []CurveID
	// DynamicRecordSizingDisabled: records are of full size from the start
	// either way; see Record.MaxFragment.
	DynamicRecordSizingDisabled bool
	// Renegotiation is how a client answers a server that asks for it; see
	// Renegotiate for all else.
	Renegotiation RenegotiationSupport
	// KeyLogWriter gets each connection's secrets in the NSS format, by which
	// captures can be decrypted. With it, the connections can be read.
	KeyLogWriter io.Writer

	// EncryptedClientHelloConfigList has a client encrypt its hello, the name of the
	// server in it, to a config that the server publishes; see [CheckECHConfigList]. If
	// the server does not take it, the handshake ends with an [ECHRejectionError], which
	// may have a list to try next; nothing was said then that the outer hello did not
	// show. A list that does not parse, or has no config that can be used, fails every
	// handshake. nil encrypts nothing. RFC 9849.
	EncryptedClientHelloConfigList []byte
	// EncryptedClientHelloRejectionVerify judges the certificate of a server that did not
	// take the encrypted hello. nil verifies it for the config's public name by RootCAs,
	// whatever InsecureSkipVerify says. VerifyPeerCertificate and VerifyConnection are
	// not asked then.
	EncryptedClientHelloRejectionVerify func(ConnectionState) error
	// GetEncryptedClientHelloKeys returns a server's keys for a client whose outer hello
	// it is shown; EncryptedClientHelloKeys are not used then. It is asked once in a
	// handshake, where the client has sent an encrypted hello or what looks like one.
	GetEncryptedClientHelloKeys func(*ClientHelloInfo) ([]EncryptedClientHelloKey, error)
	// EncryptedClientHelloKeys are the keys by which a server opens encrypted hellos; see
	// [GenerateECHKey] and [ParseECHKeys]. Those with SendAsRetry are named to clients
	// that come with another. To rotate keys, put the new one first and keep the old ones,
	// without SendAsRetry, for as long as DNS may know them.
	EncryptedClientHelloKeys []EncryptedClientHelloKey

	// HandshakeTimeout bounds a handshake from its start to its end; 0 for 30
	// seconds, negative for no bound. A callback that waits should wait for the
	// context that it is shown too, which ends with it.
	HandshakeTimeout time.Duration
	// HandshakeTurn is asked before each piece of a first handshake that may cost public-key
	// work, where the peer has sent something, and may wait: it bounds how many compute at
	// once. done is called when that piece is over, and so before the peer is waited for. An
	// error fails the handshake. nil lets all compute.
	HandshakeTurn func(context.Context) (done func(), err error)
	// GREASE sends reserved values, in a client's hello and in a server's tickets of
	// TLS 1.3, so that peers stay tolerant of what they do not know. RFC 8701. A client of
	// TLS 1.3 without EncryptedClientHelloConfigList also sends what looks like an
	// encrypted hello, so that real ones do not stand out. RFC 9849 §6.2.
	GREASE bool
	// ShuffleExtensions has a client send its extensions in random order, so that servers
	// stay tolerant of that, and clients are harder to tell apart. pre_shared_key stays the
	// last. RFC 8446 §4.2.
	ShuffleExtensions bool
	// HelloRetryCookie has a server put a cookie into each HelloRetryRequest,
	// which the client must return. RFC 8446 §4.2.2.
	HelloRetryCookie bool
	// KeyShares are the groups, of those in CurvePreferences, that a client sends key
	// shares for in TLS 1.3: what a server is known to want costs no further round
	// trip. nil is for the first of CurvePreferences and, where that is a hybrid with
	// X25519 and that is listed too, X25519; an empty list sends none. RFC 8446 §4.2.8.
	KeyShares []CurveID
	// SignatureSchemes are those that the peer may sign with, best first; nil for
	// the default. Those over SHA-1 need Legacy.SHA1Signatures, those over SHA-224
	// Legacy.SHA224Signatures. Keys of RSASSA-PSS,
	// Ed448 and ML-DSA are accepted only where their schemes are listed (PSSKeyWithSHA256
	// and the like, Ed448, MLDSA44 and the like, the last in TLS 1.3 alone); a certificate
	// that holds one has PublicKey nil. What we sign with
	// ourselves is a certificate's SupportedSignatureAlgorithms.
	SignatureSchemes []SignatureScheme
	// PreferClientCipherSuites has a server take the client's order of cipher
	// suites, not its own.
	PreferClientCipherSuites bool
	// PostHandshakeAuth has a client offer to show a certificate after the
	// handshake, when the server asks. It answers 32 times on one connection, since
	// each may cost a signature; one request more ends the connection with
	// unexpected_message. RFC 8446 §4.2.6.
	PostHandshakeAuth bool
	// VerifyAnew has every signature of the peer's chain verified in every handshake and
	// every resumption. Else the signatures of chains that were accepted are remembered;
	// all else is judged each time, the constraints of RootCAs and ClientCAs too
	// (x509.CertPool.AddCertWithConstraint).
	VerifyAnew bool
	// VerifyProfile is how strictly the peer's chain is judged; certcheck.Interoperable by
	// default.
	VerifyProfile certcheck.Profile
	// Revocation asks whether the certificates of the peer's chain are revoked, in every
	// handshake and every resumption. nil looks at what the peer staples to them, softly:
	// one that is revoked is refused, and so is one that demands a staple and comes
	// without, where the peer was asked for it (RFC 7633): a server, or a client of TLS 1.3. Nothing is fetched then. A Checker with a Fetcher fetches, under
	// the context of the handshake; one that is empty asks nobody. Where the chain is not
	// verified, nobody is asked either.
	Revocation *revocation.Checker
	// RequireExtendedMasterSecret refuses peers up to TLS 1.2 without RFC 7627, and so
	// every peer of SSL 3.0. Without it there are no channel bindings and exporters.
	RequireExtendedMasterSecret bool

	// CertificateCompression are the algorithms by which we send and take certificates in
	// TLS 1.3, best first; nil for none. See the packages certcompress, certcompress/brotli
	// and certcompress/zstd. Each is a parser of what a stranger sends. RFC 8879.
	CertificateCompression []certcompress.Algorithm

	RawPublicKeys RawPublicKeys
	Delegation    Delegation
	PSK           PSK
	DHE           DHE
	Renegotiate   Renegotiate
	Resumption    Resumption
	Stapling      Stapling
	Record        RecordOptions
	EarlyData     EarlyData
	Legacy        Legacy
	// Trace is told of every record, message, secret, key, choice and alert.
	// It sees all secrets; nil costs nothing.
	Trace *trace.Hooks

	mutex   sync.Mutex
	tickets atomic.Pointer[session.TicketKeys] // made when first needed, or by the setters
	// ticketsGiven is set by the setters.
	ticketsGiven bool
	// origin is the Config of whose endpoint this one is, if it is not of its own.
	origin  *Config
	dh      *kex.DH             // made of DHE.Parameters when first needed
	permits session.ReplayStore // see quicPermits

	// What was made of the settings for Encrypted Client Hello, and of which.
	echList  []byte
	echOffer *handshake.ECHOffer
	echKeys  []echKey
	echRead  []handshake.ECHKey
}

// PSK is for pre-shared keys. Client, Server and Hint are for the suites with them up to
// TLS 1.2: PSK, DHE_PSK, ECDHE_PSK and RSA_PSK, which CipherSuites must list. RFC 4279,
// RFC 5489. All else is for TLS 1.3, in which they go with every suite. RFC 8446 §4.2.11.
//
// No key is used in both by itself: what is known of the one says little of the other.
type PSK struct {
	// Client returns the identity to send and its key, 1 to 65535 bytes. hint
	// is the server's, empty for none; it comes from the network, unverified.
	Client func(hint string) (identity string, key []byte, err error)
	// Server returns the key of an identity, up to 65535 bytes of any kind that come
	// from the network; an empty one where there is none: then the client fails as
	// with a wrong key.
	Server func(identity string) (key []byte, err error)
	// Hint is what a server sends to help a client choose; empty for none.
	Hint string

	// External are what a client offers in TLS 1.3, best first, at most 8. A session goes
	// before them. A server that takes none shows its certificate instead, unless Required.
	External []ExternalPSK
	// ExternalServer returns the key of an identity in TLS 1.3; nil where there is none.
	// The identity is the external one where the client imports its key, and has up to
	// 65535 bytes of any kind that come from the network. It is asked for the first 8
	// identities of a client, up to twice each, and again for the owner of a session.
	//
	// A client with no key of ours gets the certificate; without one, or with Required, it
	// fails as with a wrong key. Where there is a certificate, a wrong key fails, so that
	// anybody can find out which identities exist. RFC 8446 §E.6.
	//
	// A key does not stand in for a certificate that ClientAuth requires of clients: without
	// WithCertificate it is not asked for then, and the client has to show its certificate.
	ExternalServer func(identity []byte) (*ExternalPSK, error)
	// Required refuses a peer without such a key: there is TLS 1.3 alone, and no certificate
	// in place of the key.
	Required bool
	// WithCertificate demands the server's certificate beside the key, and both sides must
	// have it: an attacker who breaks the key exchange one day needs the key too. There are no sessions
	// then. RFC 9973.
	WithCertificate bool
	// WithoutDH has a client offer keys alone, without a key exchange, and a server prefer
	// that. It needs Legacy.PSKWithoutDH. RFC 8446 §4.2.9.
	WithoutDH bool
	// Node names the endpoint that this Config is of, where a process has several that
	// share keys, or several Configs of one. No Node takes an external key for a hello
	// that it has sent itself (the Selfie attack). Empty for this Config alone, and for what
	// its GetConfigForClient returns. Between
	// processes, put the names of both ends into ExternalPSK.Context. RFC 9257 §5.1.
	Node string
}

// DHE is for the suites with finite-field Diffie-Hellman up to TLS 1.2.
type DHE struct {
	// Parameters are a server's own; nil for a group of RFC 7919. They are used
	// for clients that do not list groups of RFC 7919.
	Parameters *DHParameters
	// MinBits is the smallest group that a client takes; 0 for 2048. Below that
	// Legacy.SmallDH is needed, and 1024 is the least.
	MinBits int
}

// DHParameters are a finite field's prime and generator, big-endian.
type DHParameters struct{ P, G []byte }

// Renegotiate is for handshakes inside a connection, up to TLS 1.2. They keep
// the version, the application protocol and the peer's certificate, and resume
// no session. RFC 5746.
type Renegotiate struct {
	// FromClient has a server accept a client's wish to renegotiate. What it
	// asks for itself by Conn.Renegotiate does not need it.
	FromClient bool
	// RefuseFatally ends the connection of a peer that asks for a renegotiation which
	// is not allowed, as crypto/tls does. Otherwise it is told so by a warning, and the
	// connection goes on. RFC 5246 §7.2.2.
	RefuseFatally bool
	// RequireSecure refuses peers up to TLS 1.2 that do not know RFC 5746, in the first
	// handshake: whether somebody else has renegotiated with them cannot be seen from
	// here. RFC 5746 §4.1, §4.3.
	RequireSecure bool
	// AllowPeerChange lets the peer show another certificate than before.
	AllowPeerChange bool
	// Max is how many renegotiations the peer may start on one connection; 0
	// for 8.
	Max int
	// MinInterval is the least time between two that the peer starts; 0 for a
	// second, negative for none.
	MinInterval time.Duration
}

// Resumption settings beyond crypto/tls's.
type Resumption struct {
	// Store keeps TLS 1.2 sessions on the server under session IDs, for clients
	// without tickets; nil keeps none. RFC 5246 §7.3.
	Store session.Store
	// Tickets is how many a server sends in a handshake of TLS 1.3, at most 16; 0 for 2.
	// RFC 8446 §4.6.1.
	Tickets int
	// MaxTickets is the most that a client may ask a server for in a handshake of TLS 1.3, at
	// most 16; 0 for 8. Negative gives each client Tickets, whatever it asks for. RFC 9149.
	MaxTickets int
	// Request has a client of TLS 1.3 say how many tickets it would like; nil says nothing.
	// A cache keeps up to 4 sessions for one server. RFC 9149.
	Request *TicketRequest
	// SingleUse has a client make a full handshake rather than offer a ticket of TLS 1.3
	// again, by which the connections can be linked. RFC 8446 §C.4.
	SingleUse bool
}

// TicketRequest is how many tickets a client would like, at most 16. A server may send fewer, and one
// that does not know of it sends what it sends. [State].TicketsExpected is its answer.
type TicketRequest struct {
	New     uint8 // after a full handshake; 0 for none
	Resumed uint8 // after one that resumes
}

// Stapling is about OCSP responses beyond that of the leaf, which Certificate.OCSPStaple is.
type Stapling struct {
	// ForIssuer returns the response to send with a certificate of our chain after the
	// leaf, given in DER; nil, or an empty one, for none. It is asked in each full
	// handshake with a peer that takes such responses: in TLS 1.3 those that ask for
	// staples, up to TLS 1.2 clients with status_request_v2. RFC 8446 §4.4.2.1, RFC 6961.
	ForIssuer func(cert []byte) []byte
	// AskForChain has a client up to TLS 1.2 ask for the responses of the whole chain by
	// status_request_v2 (RFC 6961), beside status_request. Few servers know it, and few
	// clients send it, so that it tells them apart. In TLS 1.3 status_request does it.
	AskForChain bool
}

// RecordOptions are settings of the record layer for sending.
type RecordOptions struct {
	// Padding returns how many zero bytes to add to a TLS 1.3 record, given the
	// length of its content, to hide that length; nil adds none. RFC 8446 §5.4.
	Padding func(contentLen int) int
	// MaxFragment is the most content bytes of one record, 1 to 16384; 0 for
	// 16384.
	MaxFragment int
	// MaxFragmentLength has a client ask for records of at most 512, 1024, 2048
	// or 4096 bytes in both directions; 0 asks for nothing. RFC 6066 §4.
	MaxFragmentLength int
	// SizeLimit tells the peer the most plaintext that it may put into a record,
	// 64 to 16385 bytes; 0 tells a server nothing. RFC 8449.
	SizeLimit int
}

// Clone returns a copy of c's exported fields. It shares no ticket keys with c,
// so that a clone which changes whom it accepts cannot resume sessions of c:
// SessionTicketKey, and what SetSessionTicketKeys and SetTicketKeySchedule set, are
// left out. nil gives nil.
func (c *Config) Clone() *Config {
	if c == nil {
		return nil
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return &Config{
		Rand: c.Rand, Time: c.Time,
		Certificates: c.Certificates, NameToCertificate: c.NameToCertificate,
		GetCertificate: c.GetCertificate, GetClientCertificate: c.GetClientCertificate, GetConfigForClient: c.GetConfigForClient,
		VerifyPeerCertificate: c.VerifyPeerCertificate, VerifyConnection: c.VerifyConnection,
		RootCAs: c.RootCAs, NextProtos: c.NextProtos, ServerName: c.ServerName, ClientAuth: c.ClientAuth, LaterClientAuth: c.LaterClientAuth, ClientCAs: c.ClientCAs,
		InsecureSkipVerify: c.InsecureSkipVerify, CipherSuites: c.CipherSuites, PreferServerCipherSuites: c.PreferServerCipherSuites,
		SessionTicketsDisabled: c.SessionTicketsDisabled, ClientSessionCache: c.ClientSessionCache,
		UnwrapSession: c.UnwrapSession, WrapSession: c.WrapSession, MinVersion: c.MinVersion, MaxVersion: c.MaxVersion,
		CurvePreferences: c.CurvePreferences, KeyShares: c.KeyShares, DynamicRecordSizingDisabled: c.DynamicRecordSizingDisabled,
		Renegotiation: c.Renegotiation, KeyLogWriter: c.KeyLogWriter,
		EncryptedClientHelloConfigList:      c.EncryptedClientHelloConfigList,
		EncryptedClientHelloRejectionVerify: c.EncryptedClientHelloRejectionVerify,
		GetEncryptedClientHelloKeys:         c.GetEncryptedClientHelloKeys, EncryptedClientHelloKeys: c.EncryptedClientHelloKeys,
		PreferClientCipherSuites: c.PreferClientCipherSuites, SignatureSchemes: c.SignatureSchemes, PostHandshakeAuth: c.PostHandshakeAuth,
		VerifyAnew: c.VerifyAnew, VerifyProfile: c.VerifyProfile, Revocation: c.Revocation, RequireExtendedMasterSecret: c.RequireExtendedMasterSecret, PSK: c.PSK, DHE: c.DHE, Renegotiate: c.Renegotiate,
		HandshakeTimeout: c.HandshakeTimeout, HandshakeTurn: c.HandshakeTurn, GREASE: c.GREASE, ShuffleExtensions: c.ShuffleExtensions, HelloRetryCookie: c.HelloRetryCookie,
		Resumption: c.Resumption, Stapling: c.Stapling, Record: c.Record, EarlyData: c.EarlyData, Legacy: c.Legacy, Trace: c.Trace,
		CertificateCompression: c.CertificateCompression, RawPublicKeys: c.RawPublicKeys, Delegation: c.Delegation,
	}
}

// ForProtocols returns a clone of c with these NextProtos that shares c's ticket keys:
// keys set for c later hold for it too. A session of one is resumed by the other, and
// the protocol is agreed on anew. RFC 7301 §3.1.
func (c *Config) ForProtocols(protocols ...string) *Config {
	clone := c.Clone()
	clone.NextProtos = protocols
	clone.sameEndpoint(c)
	clone.tickets.Store(c.ticketKeys())
	clone.ticketsGiven = c.hasTicketKeys()
	return clone
}

// now is without a monotonic reading, which stands still while a machine is suspended
// and would stretch the lives of sessions.
func (c *Config) now() time.Time {
	if c.Time == nil {
		return time.Now().Round(0)
	}
	return c.Time().Round(0)
}

// BuildNameToCertificate fills in NameToCertificate from the certificates'
// names.
//
// Deprecated: names are matched without it.
func (c *Config) BuildNameToCertificate() {
	c.NameToCertificate = make(map[string]*Certificate)
	for i := range c.Certificates {
		leaf, err := leafOf(&c.Certificates[i])
		if err != nil {
			continue
		}
		if leaf.Subject.CommonName != "" && len(leaf.DNSNames) == 0 {
			c.NameToCertificate[leaf.Subject.CommonName] = &c.Certificates[i]
		}
		for _, name := range leaf.DNSNames {
			c.NameToCertificate[name] = &c.Certificates[i]
		}
	}
}

var _ net.Conn = (*Conn)(nil)
