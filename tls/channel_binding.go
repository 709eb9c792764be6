package tls

import (
	"bytes"
	"crypto"
	"crypto/x509"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

// ChannelBinding returns the value by which another protocol binds itself to
// this connection: "tls-exporter" (RFC 9266), "tls-server-end-point" or
// "tls-unique" (RFC 5929 §4, §3; the latter not in TLS 1.3). During a renegotiation
// there is only tls-server-end-point, of the handshake before. The caller owns the
// value.
func (c *Conn) ChannelBinding(kind string) ([]byte, error) {
	if err := c.Handshake(); err != nil {
		return nil, err
	}
	r := c.engine.Result() // before unsettled: what was settled then is one handshake's
	if err := c.unsettled(); err != nil && kind != "tls-server-end-point" {
		return nil, err
	}
	switch kind {
	case "tls-exporter":
		return exporterOf(r)("EXPORTER-Channel-Binding", []byte{}, 32)
	case "tls-unique":
		if v := tlsUnique(r); v != nil {
			return v, nil
		}
		return nil, &handshake.Error{Rule: "tls-unique is not defined for this connection: it needs TLS 1.2 with extended master secret", Ref: "RFC 9266 §1"}
	case "tls-server-end-point":
		return c.serverEndPoint(r)
	}
	return nil, &handshake.Error{Rule: "the channel binding " + kind + " is not known; there are tls-exporter, tls-server-end-point and tls-unique"}
}

// tlsUnique is the first Finished of the latest handshake: the client's in a
// full one, the server's in a resumption. Without extended master secret it is
// not safe, and in TLS 1.3 not defined. RFC 5929 §3, RFC 7627 §5.4.
func tlsUnique(r *handshake.Result) []byte {
	switch {
	case handshake.ProfileOf(r.Version).Updates || !r.ExtendedMasterSecret:
		return nil
	case r.Resumption != handshake.ResumedNone:
		return bytes.Clone(r.Finished(wire.Server))
	}
	return bytes.Clone(r.Finished(wire.Client))
}

// serverEndPoint hashes the server's certificate with the hash of its
// signature, or SHA-256 for weaker and unknown ones. RFC 5929 §4.1.
func (c *Conn) serverEndPoint(r *handshake.Result) ([]byte, error) {
	var leaf *x509.Certificate
	var err error
	switch {
	case c.role == wire.Client && len(r.Peer.Certificates) > 0:
		leaf = r.Peer.Certificates[0]
	case c.role == wire.Server && r.Secrets.OwnCertificate != nil:
		if leaf, err = x509.ParseCertificate(*r.Secrets.OwnCertificate); err != nil {
			return nil, err
		}
	default:
		return nil, &handshake.Error{Rule: "this end knows of no server certificate: the connection has none, or was resumed", Ref: "RFC 5929 §4"}
	}
	hash := crypto.SHA256
	switch leaf.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		hash = crypto.SHA384
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		hash = crypto.SHA512
	}
	h := hash.New()
	h.Write(leaf.Raw)
	return h.Sum(nil), nil
}
