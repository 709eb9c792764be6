package tls

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"slices"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// CertificateType is how a side shows its key. RFC 7250.
type CertificateType = wire.CertificateType

const (
	// CertificateTypeX509 is a certificate, with the chain behind it.
	CertificateTypeX509 = wire.CertificateTypeX509
	// CertificateTypeRawPublicKey is the key alone, a SubjectPublicKeyInfo.
	CertificateTypeRawPublicKey = wire.CertificateTypeRawPublicKey
)

// RawPublicKeys is for peers that know each other's keys and need no certificates: a side
// shows its key bare, and the other side compares it with what it knows. RFC 7250.
//
// No authority vouches for such a key, so there is nothing to trust by default: a Config
// that takes raw public keys has Pins or Verify, or is refused. InsecureSkipVerify,
// RootCAs, ClientCAs and VerifyPeerCertificate are for certificates alone; ClientAuth says
// whether a client must show something. VerifyConnection is called as always, with
// PeerCertificates empty: Conn.State has the key.
type RawPublicKeys struct {
	// Keys are ours to show, best first: of each Certificate the PrivateKey counts and, where
	// they are set, SupportedSignatureAlgorithms and the key in Certificate or Leaf. nil
	// is for those of Certificates, GetCertificate or GetClientCertificate.
	Keys []Certificate
	// Show are the types that we show, best first. nil is for raw public keys where there
	// are Keys, and for certificates where there are any.
	Show []CertificateType
	// Accept are the types that the peer may show, best first. nil is for raw public keys
	// alone where Pins or Verify is set, and otherwise for certificates alone.
	Accept []CertificateType
	// Pins are SHA-256 digests of the keys that the peer may have; see [PeerKey.Pin]. nil
	// leaves the judgement to Verify.
	Pins [][32]byte
	// Verify judges the peer's key, after Pins, in every handshake and before every
	// resumption; on a client also before a session is offered. An error refuses it.
	Verify func(PeerKey) error
}

// PeerKey is a raw public key that the peer has shown. It must not be changed.
type PeerKey struct {
	// Info is its SubjectPublicKeyInfo in DER, as it was sent.
	Info []byte
	// Public is the key, of a type as in x509.Certificate.PublicKey.
	Public crypto.PublicKey
	// ServerName is the name that the client asked for; empty for none.
	ServerName string
}

// Pin is the SHA-256 digest of the key's SubjectPublicKeyInfo.
func (k PeerKey) Pin() [32]byte { return sha256.Sum256(k.Info) }

// PinString writes a pin as "SHA256:" and base64 without padding, as OpenSSH does.
func PinString(pin [32]byte) string { return "SHA256:" + base64.RawStdEncoding.EncodeToString(pin[:]) }

// resolveTypes fills in which types of certificate we show and take.
func (c *Config) resolveTypes(h *handshake.Config) error {
	r := &c.RawPublicKeys
	h.ShowTypes, h.AcceptTypes = r.Show, r.Accept
	raw := CertificateTypeRawPublicKey
	if r.Accept == nil && (len(r.Pins) > 0 || r.Verify != nil) {
		h.AcceptTypes = []CertificateType{raw}
	}
	if r.Show == nil && len(r.Keys) > 0 {
		h.ShowTypes = []CertificateType{raw}
		if len(c.Certificates) > 0 || c.GetCertificate != nil || c.GetClientCertificate != nil {
			h.ShowTypes = append(h.ShowTypes, CertificateTypeX509)
		}
	}
	for _, list := range []struct {
		name  string
		types []CertificateType
	}{{"Show", h.ShowTypes}, {"Accept", h.AcceptTypes}} {
		for i, t := range list.types {
			if t != raw && t != CertificateTypeX509 || slices.Contains(list.types[:i], t) {
				return misuse("RawPublicKeys.%s lists the type %v, which is not implemented or stands twice", list.name, t)
			}
		}
	}
	takes := slices.Contains(h.AcceptTypes, raw)
	switch {
	case takes && len(r.Pins) == 0 && r.Verify == nil:
		return misuse("RawPublicKeys.Accept lists raw public keys, and nothing says which; set Pins or Verify")
	case !takes && (len(r.Pins) > 0 || r.Verify != nil):
		return misuse("RawPublicKeys.Pins and Verify are for raw public keys, which Accept does not list")
	case slices.Contains(h.ShowTypes, raw) && len(r.Keys)+len(c.Certificates) == 0 && c.GetCertificate == nil && c.GetClientCertificate == nil:
		return misuse("RawPublicKeys.Show lists raw public keys, and there is no key; set Keys or Certificates")
	case !slices.Contains(h.ShowTypes, raw) && len(r.Keys) > 0:
		return misuse("RawPublicKeys.Keys has keys, and Show does not list raw public keys")
	}
	for i := range r.Keys {
		if _, ok := r.Keys[i].PrivateKey.(crypto.Signer); !ok || handshake.Bare(&r.Keys[i]) == nil {
			return misuse("entry %d of RawPublicKeys.Keys has a PrivateKey of the type %T that cannot be shown", i, r.Keys[i].PrivateKey)
		}
	}
	return nil
}

// takes reports whether h takes certificates of the type.
func takes(h *handshake.Config, t CertificateType) bool {
	if len(h.AcceptTypes) == 0 {
		return t == CertificateTypeX509
	}
	return slices.Contains(h.AcceptTypes, t)
}

// VerifyKey judges a raw public key of the peer.
func (h *host) VerifyKey(_ context.Context, s *handshake.State, key *handshake.RawKey) error {
	r, least := &h.config.RawPublicKeys, 0
	if h.config.Legacy.SmallRSA {
		least = certcheck.MinRSABits
	}
	if err := certcheck.StrongKey(key.AsCertificate(), least); err != nil {
		return err
	}
	peer := peerKey(key, s.Result.ServerName)
	if pin := peer.Pin(); len(r.Pins) > 0 && !slices.Contains(r.Pins, pin) {
		return &handshake.Error{Alert: wire.AlertBadCertificate, Ref: "RFC 7250 §6", Rule: "the peer's raw public key is not pinned: it is " + PinString(pin),
			Hint: "find out from its owner whether the key was changed, and pin the new one then; if not, somebody is in between"}
	}
	if r.Verify != nil {
		return r.Verify(peer)
	}
	if len(r.Pins) == 0 { // check has seen to it
		return misuse("a raw public key came, and nothing says which is right")
	}
	return nil
}

func peerKey(key *handshake.RawKey, serverName string) PeerKey {
	return PeerKey{Info: key.DER, Public: key.Public, ServerName: serverName}
}

// RawKey picks a key to show bare: the first with which the peer can verify us or, where
// there is none, the first.
func (h *host) RawKey(ctx context.Context, s *handshake.State, info *CertificateRequestInfo) (key *Certificate, fits bool, err error) {
	c := h.config
	keys := c.RawPublicKeys.Keys
	switch {
	case len(keys) > 0:
	case info != nil && c.GetClientCertificate != nil:
		cert, _, err := h.ClientCertificate(info)
		if err != nil || cert.PrivateKey == nil {
			return nil, false, err
		}
		return cert, true, nil
	case info == nil && c.GetCertificate != nil:
		cert, err := h.Certificate(ctx, s)
		if err != nil {
			return nil, false, err
		}
		return cert, s.CanUse(cert), nil
	default:
		keys = c.Certificates
	}
	for i := range keys {
		if info != nil && handshake.CanAnswer(info, &keys[i]) || info == nil && s.CanUse(&keys[i]) {
			return &keys[i], true, nil
		}
	}
	if len(keys) == 0 {
		return nil, false, nil
	}
	return &keys[0], false, nil
}

// keyStillTrusted is stillTrusted for a server that has shown a raw public key.
func (h *host) keyStillTrusted(ctx context.Context, s *handshake.State, one *session.Session) bool {
	key, err := handshake.ParseRawKey(one.PeerKey)
	return err == nil && takes(s.Config, CertificateTypeRawPublicKey) && h.VerifyKey(ctx, s, key) == nil
}

// showsKey reports whether digest is that of a raw public key that a client would show.
func (c *Config) showsKey(digest [32]byte) bool {
	keys := c.RawPublicKeys.Keys
	if len(keys) == 0 && slices.Contains(c.RawPublicKeys.Show, CertificateTypeRawPublicKey) {
		keys = c.Certificates
	}
	return slices.ContainsFunc(keys, func(k Certificate) bool { return keyDigest(&k) == digest })
}

func keyDigest(c *Certificate) [32]byte { return handshake.Shown(handshake.Bare(c)) }
