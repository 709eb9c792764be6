package tls

import (
	"context"
	"crypto"
	"crypto/x509"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/wire"
)

// ConnectionState returns what crypto/tls tells of a connection. Before the
// handshake is complete, it is empty but for ServerName.
func (c *Conn) ConnectionState() ConnectionState {
	if s := c.shaking.Load(); s != nil {
		_ = s.turn.take(context.Background())
		defer s.turn.give()
	}
	if !c.flags.has(complete) {
		return c.incomplete()
	}
	cs := connectionState(c.engine.Result(), true)
	if err := c.unsettled(); err != nil {
		cs.TLSUnique = nil
		handshake.SetExporter(&cs, func(string, []byte, int) ([]byte, error) { return nil, err })
	}
	return cs
}

// unsettled is why nothing that depends on the keys can be told: during a
// renegotiation the peer may count with the old ones or with the new.
func (c *Conn) unsettled() error {
	if c.renegotiations.current.Load() == nil || handshake.ProfileOf(c.engine.Result().Version).Updates {
		return nil
	}
	return &handshake.Error{Rule: "keying material cannot be exported during a renegotiation: whether the peer would take the old keys or the new ones is not known"}
}

// incomplete is the state of a connection whose handshake is not complete.
func (c *Conn) incomplete() ConnectionState {
	cs := ConnectionState{ServerName: sniName(c.config.ServerName)}
	if c.role == wire.Server && c.engine != nil {
		cs.ServerName = c.engine.Result().ServerName
	}
	handshake.SetExporter(&cs, func(string, []byte, int) ([]byte, error) {
		return nil, &handshake.Error{Rule: "keying material cannot be exported before the handshake is complete"}
	})
	return cs
}

func connectionState(r *handshake.Result, complete bool) ConnectionState {
	cs := ConnectionState{
		Version: uint16(r.Version), HandshakeComplete: complete, DidResume: r.Resumption != handshake.ResumedNone,
		CipherSuite: uint16(r.Suite.ID), CurveID: CurveID(r.Group), NegotiatedProtocol: r.ALPN, NegotiatedProtocolIsMutual: true,
		ServerName: r.ServerName, PeerCertificates: r.Peer.Certificates, VerifiedChains: r.Peer.Chains,
		SignedCertificateTimestamps: r.Peer.SCTs, OCSPResponse: r.Peer.OCSP, HelloRetryRequest: r.HelloRetry, ECHAccepted: r.ECHAccepted,
		TLSUnique: tlsUnique(r),
	}
	export := exporterOf(r)
	handshake.SetExporter(&cs, export)
	return cs
}

// exporterOf is RFC 5705's or RFC 8446's exporter.
func exporterOf(r *handshake.Result) func(label string, context []byte, length int) ([]byte, error) {
	return func(label string, context []byte, length int) ([]byte, error) {
		if length < 0 {
			return nil, &handshake.Error{Rule: "keying material of negative length was asked for"}
		}
		out := make([]byte, length)
		if err := r.Export(out, label, context); err != nil {
			return nil, err
		}
		return out, nil
	}
}

// State is all that a connection knows of itself.
type State struct {
	Version         wire.Version
	CipherSuite     wire.CipherSuite
	KeyExchange     string          // "RSA", "ECDHE_PSK"; as in the cipher suite or, in TLS 1.3, "ECDHE", "DHE" or, without either, "PSK"
	Group           wire.NamedGroup // 0 where there was no (EC)DHE in a group that has a number
	ServerSignature wire.SignatureScheme
	ClientSignature wire.SignatureScheme // 0 where the client did not sign
	ALPN            string
	ServerName      string
	// Resumption is "none", "id", "ticket" or "psk".
	Resumption string
	// TicketsExpected is how many tickets the server has told that it would send, where the
	// client has asked; 0 where it has told nothing. RFC 9149.
	TicketsExpected int
	HelloRetry      bool // there was a HelloRetryRequest
	// EarlyData is "accepted" or "refused", and "none" where the client has announced none.
	EarlyData           string
	ClientAuthRequested bool // the server asked for a certificate
	// ClientCertificateMisfit is for a client that was asked: which certificates are at
	// hand, why none of them fits, and what would. Then none was sent, but where
	// GetClientCertificate insists on one of an authority that the server does not
	// name. It is empty where the certificate fits. The server's names are quoted.
	ClientCertificateMisfit string
	ExtendedMasterSecret    bool // RFC 7627; TLS 1.3 always has its like
	EncryptThenMAC          bool // RFC 7366
	SecureRenegotiation     bool // the peer signalled RFC 5746
	PostHandshakeAuth       bool // the client can be asked for a certificate later
	Compression             wire.CompressionMethod
	PSKIdentity             string // of a pre-shared key that is no ticket, in this handshake or in the one that is resumed
	DHBits                  int    // of the finite field; 0 where there was none
	// SendLimit and ReceiveLimit are the most content of a record that was agreed on, in
	// bytes; 0 where nothing was. In TLS 1.3 that is one less than record_size_limit,
	// which counts the type. RFC 6066 §4, RFC 8449 §4.
	SendLimit, ReceiveLimit int
	Renegotiations          int // that are complete
	PeerCertificates        []*x509.Certificate
	// ServerCertificateType and ClientCertificateType are how the two sides show their keys,
	// where they do. RFC 7250.
	ServerCertificateType, ClientCertificateType CertificateType
	// PeerRawPublicKey is the key that the peer has shown without a certificate; nil mostly.
	PeerRawPublicKey *PeerKey
	// Delegated is the delegated credential with whose key the server has signed, in this
	// handshake or that of the session; nil mostly. RFC 9345.
	Delegated *DelegatedState
	// MissingKeyUsage is what the peer's certificate should have as its key usage for
	// what the key was used for, "digitalSignature" or "keyEncipherment", and has not.
	// Empty mostly: else Config.InsecureSkipVerify or Legacy.AnyKeyUsage let it pass.
	MissingKeyUsage string
	VerifiedChains  [][]*x509.Certificate
	// Revocation is what was learnt of each certificate of the first of VerifiedChains but
	// its root, leaf first, and from where; nil where nothing was.
	Revocation   []revocation.Answer
	OCSPResponse []byte // DER, as stapled
	SCTs         [][]byte
}

// DelegatedState describes a delegated credential that the server has shown.
type DelegatedState struct {
	Scheme SignatureScheme
	Public crypto.PublicKey
	Expiry time.Time
}

// State tells more than ConnectionState. It is zero before the handshake is
// complete. What it points to must not be changed.
func (c *Conn) State() State {
	if !c.flags.has(complete) {
		return State{}
	}
	state := stateOf(c.engine.Result(), c.role)
	state.Renegotiations = int(c.renegotiations.complete.Load())
	return state
}

// stateOf is what the result of role's handshake tells.
func stateOf(r *handshake.Result, role wire.Role) State {
	exchange := "ECDHE"
	switch {
	case kex.IsFF(r.Group):
		exchange = "DHE"
	case r.Group == 0:
		exchange = "PSK"
	}
	if r.Suite.KeyExchange != wire.KeyExchangeNone {
		exchange = r.Suite.KeyExchange.String()
	}
	var raw *PeerKey
	if r.Peer.RawKey != nil {
		raw = new(PeerKey)
		*raw = peerKey(r.Peer.RawKey, r.ServerName)
	}
	var delegated *DelegatedState
	if d := r.Peer.Delegated; d != nil {
		delegated = &DelegatedState{SignatureScheme(d.Scheme), d.Public, d.Expiry}
	}
	return State{
		ServerCertificateType: r.ServerCertificate, ClientCertificateType: r.ClientCertificate, PeerRawPublicKey: raw, Delegated: delegated,
		Version: r.Version, CipherSuite: r.Suite.ID, KeyExchange: exchange, Group: r.Group,
		ServerSignature: r.ServerScheme, ClientSignature: r.ClientScheme, ALPN: r.ALPN, ServerName: r.ServerName,
		Resumption: r.Resumption.String(), HelloRetry: r.HelloRetry, TicketsExpected: int(r.TicketsExpected), EarlyData: r.EarlyData.String(), ClientAuthRequested: r.ClientAuth, ClientCertificateMisfit: r.ClientMisfit,
		ExtendedMasterSecret: r.ExtendedMasterSecret, EncryptThenMAC: r.EncryptThenMAC, SecureRenegotiation: r.SecureRenegotiation,
		Compression: r.Compression, PSKIdentity: r.PSKIdentity, DHBits: r.DHBits, SendLimit: int(r.SendLimit), ReceiveLimit: r.ReceiveContent(),
		PostHandshakeAuth: r.PostHandshakeAuth,
		MissingKeyUsage:   r.MissingKeyUsage(role),
		PeerCertificates:  r.Peer.Certificates, VerifiedChains: r.Peer.Chains, Revocation: r.Peer.Revocation, OCSPResponse: r.Peer.OCSP, SCTs: r.Peer.SCTs,
	}
}

// OCSPResponse returns the server's stapled OCSP response in DER, or nil. It
// panics on a server, to which ConnectionState and State tell what a client has stapled.
func (c *Conn) OCSPResponse() []byte {
	if c.role == wire.Server {
		panic("tls: OCSPResponse called on a server connection")
	}
	return c.State().OCSPResponse
}

// VerifyHostname checks that the server's certificate is for host. It errs on
// a server and where the chain was not verified.
func (c *Conn) VerifyHostname(host string) error {
	s := c.State()
	switch {
	case c.role == wire.Server:
		return &handshake.Error{Rule: "VerifyHostname was called on a server"}
	case !c.flags.has(complete):
		return &handshake.Error{Rule: "VerifyHostname was called before the handshake was complete"}
	case len(s.VerifiedChains) == 0:
		return &handshake.Error{Rule: "the server's certificate chain was not verified"}
	}
	return s.PeerCertificates[0].VerifyHostname(host)
}
