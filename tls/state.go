package tls

import (
	"crypto/x509"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/wire"
)

// ConnectionState returns what crypto/tls tells of a connection. Before the
// handshake is complete, it is empty but for ServerName.
func (c *Conn) ConnectionState() ConnectionState {
	c.handshakeMutex.Lock()
	defer c.handshakeMutex.Unlock()
	if !c.complete.Load() {
		return c.incomplete()
	}
	return connectionState(c.engine.Result(), true)
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
		SignedCertificateTimestamps: r.Peer.SCTs, OCSPResponse: r.Peer.OCSP, HelloRetryRequest: r.HelloRetry,
		TLSUnique: tlsUnique(r),
	}
	export := exporterOf(r)
	handshake.SetExporter(&cs, export)
	return cs
}

// exporterOf is RFC 5705's or RFC 8446's exporter. It is refused where a
// TLS 1.2 connection lacks extended master secret: two connections could then
// export the same. RFC 7627 §5.4.
func exporterOf(r *handshake.Result) func(label string, context []byte, length int) ([]byte, error) {
	return func(label string, context []byte, length int) ([]byte, error) {
		if length < 0 {
			return nil, &handshake.Error{Rule: "keying material of negative length was asked for"}
		}
		out := make([]byte, length)
		h := r.Suite.Hash
		if handshake.ProfileOf(r.Version).Updates {
			return out, keys.Exporter13(h, out, r.Secrets.Master[:h.Size], label, context)
		}
		if !r.ExtendedMasterSecret {
			return nil, &handshake.Error{Rule: "keying material cannot be exported from a TLS 1.2 connection without extended master secret", Ref: "RFC 7627 §5.4"}
		}
		return out, keys.Exporter12(h, out, r.Secrets.Master[:keys.MasterSecretLen], label, r.Secrets.ClientRandom[:], r.Secrets.ServerRandom[:], context)
	}
}

// State is all that a connection knows of itself.
type State struct {
	Version         wire.Version
	CipherSuite     wire.CipherSuite
	KeyExchange     string          // "RSA", "ECDHE"; as in the cipher suite or, in TLS 1.3, "ECDHE"
	Group           wire.NamedGroup // 0 where there was no ECDHE
	ServerSignature wire.SignatureScheme
	ClientSignature wire.SignatureScheme // 0 where the client did not sign
	ALPN            string
	ServerName      string
	// Resumption is "none", "id", "ticket" or "psk".
	Resumption           string
	HelloRetry           bool // there was a HelloRetryRequest
	ClientAuthRequested  bool // the server asked for a certificate
	ExtendedMasterSecret bool // RFC 7627; TLS 1.3 always has its like
	EncryptThenMAC       bool // RFC 7366
	SecureRenegotiation  bool // the peer signalled RFC 5746
	PeerCertificates     []*x509.Certificate
	VerifiedChains       [][]*x509.Certificate
	OCSPResponse         []byte // DER, as stapled
	SCTs                 [][]byte
}

// State tells more than ConnectionState. It is zero before the handshake is
// complete. What it points to must not be changed.
func (c *Conn) State() State {
	if !c.complete.Load() {
		return State{}
	}
	r := c.engine.Result()
	exchange := "ECDHE"
	if r.Suite.KeyExchange != wire.KeyExchangeNone {
		exchange = r.Suite.KeyExchange.String()
	}
	return State{
		Version: r.Version, CipherSuite: r.Suite.ID, KeyExchange: exchange, Group: r.Group,
		ServerSignature: r.ServerScheme, ClientSignature: r.ClientScheme, ALPN: r.ALPN, ServerName: r.ServerName,
		Resumption: r.Resumption.String(), HelloRetry: r.HelloRetry, ClientAuthRequested: r.ClientAuth,
		ExtendedMasterSecret: r.ExtendedMasterSecret, EncryptThenMAC: r.EncryptThenMAC, SecureRenegotiation: r.SecureRenegotiation,
		PeerCertificates: r.Peer.Certificates, VerifiedChains: r.Peer.Chains, OCSPResponse: r.Peer.OCSP, SCTs: r.Peer.SCTs,
	}
}

// OCSPResponse returns the server's stapled OCSP response in DER, or nil. It
// panics on a server.
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
	case !c.complete.Load():
		return &handshake.Error{Rule: "VerifyHostname was called before the handshake was complete"}
	case len(s.VerifiedChains) == 0:
		return &handshake.Error{Rule: "the server's certificate chain was not verified"}
	}
	return s.PeerCertificates[0].VerifyHostname(host)
}
