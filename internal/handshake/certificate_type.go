package handshake

import (
	"context"
	"crypto"
	"crypto/rsa"
	stdtls "crypto/tls"
	"crypto/x509"
	"errors"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/wire"
)

// A side shows its key in a certificate, or bare, as a raw public key. Each side says in
// the hello which types it has and takes; the server picks one for each direction. RFC 7250.

// RawKey is a public key that the peer has shown bare.
type RawKey struct {
	DER    []byte // SubjectPublicKeyInfo
	Public crypto.PublicKey
}

// certificatesAlone are the types of a side that has said nothing.
var certificatesAlone = []wire.CertificateType{wire.CertificateTypeX509}

// shows and accepts are the types of Config, with the default in place of none.
func (c *Config) shows() []wire.CertificateType   { return orX509(c.ShowTypes) }
func (c *Config) accepts() []wire.CertificateType { return orX509(c.AcceptTypes) }

func orX509(types []wire.CertificateType) []wire.CertificateType {
	if len(types) == 0 {
		return certificatesAlone
	}
	return types
}

// CertificateType is how role shows its key in this handshake.
func (a *Agreed) CertificateType(role wire.Role) wire.CertificateType {
	if role == wire.Server {
		return a.ServerCertificate
	}
	return a.ClientCertificate
}

// offerServerTypes says what we take of the server, offerClientTypes what we can show it.
// The default alone is not said. RFC 7250 §4.1.
func offerServerTypes(s *State, b []byte) ([]byte, bool) { return offerTypes(b, s.Config.accepts()) }
func offerClientTypes(s *State, b []byte) ([]byte, bool) { return offerTypes(b, s.Config.shows()) }

func offerTypes(b []byte, types []wire.CertificateType) ([]byte, bool) {
	if slices.Equal(types, certificatesAlone) {
		return b, false
	}
	return wire.AppendU8List(b, types), true
}

func readServerTypes(o *Offer, r *wire.Reader) {
	o.ServerTypes = wire.ReadCertificateTypes(r, o.ServerTypes[:0])
}

func readClientTypes(o *Offer, r *wire.Reader) {
	o.ClientTypes = wire.ReadCertificateTypes(r, o.ClientTypes[:0])
}

// answerServerType answers in a resumption too, where no key is shown: with what it would be.
func answerServerType(s *State, b []byte) ([]byte, bool) {
	t := s.Result.ServerCertificate
	switch {
	case s.resumed != nil:
		common := s.commonTypes(s.Config.shows(), wire.ExtServerCertificateType, s.Offer.ServerTypes)
		if len(common) == 0 {
			return b, false
		}
		t = common[0]
	case s.certificate == nil || len(s.certificate.Certificate) == 0:
		return b, false
	}
	return append(b, byte(t)), true
}

// answerClientType: a server that does not ask for a certificate says nothing of its type.
// RFC 7250 §4.2.
func answerClientType(s *State, b []byte) ([]byte, bool) {
	return append(b, byte(s.Result.ClientCertificate)), s.resumed == nil && s.Result.ClientAuth
}

func acceptServerType(s *State, r *wire.Reader) (err error) {
	s.Result.ServerCertificate, err = answered("server_certificate_type", s.Config.accepts(), r)
	return err
}

func acceptClientType(s *State, r *wire.Reader) (err error) {
	s.Result.ClientCertificate, err = answered("client_certificate_type", s.Config.shows(), r)
	return err
}

func answered(what string, offered []wire.CertificateType, r *wire.Reader) (wire.CertificateType, error) {
	t := wire.ReadCertificateType(r)
	if r.Err() == nil && !slices.Contains(offered, t) {
		return t, disagree(wire.AlertUnsupportedCertificate, "certificate type", "RFC 7250 §4.2", offered, []wire.CertificateType{t},
			"the server's "+what+" is not one that we offered")
	}
	return t, nil
}

// commonTypes are those of ours, best first, that the client has too. It says by the
// extension t what it has; without, that is X.509.
func (s *State) commonTypes(ours []wire.CertificateType, t wire.ExtensionType, theirs []wire.CertificateType) []wire.CertificateType {
	if !s.asked(t) {
		theirs = certificatesAlone
	}
	return slices.DeleteFunc(slices.Clone(ours), func(x wire.CertificateType) bool { return !slices.Contains(theirs, x) })
}

// certify picks what a server shows: the first of our types that the client takes, and of
// which we have a key that it can verify. RFC 7250 §4.2.
func (s *State) certify(ctx context.Context) error {
	if len(s.Config.ShowTypes) == 0 && !s.asked(wire.ExtServerCertificateType) { // mostly
		return s.pickCertificate(ctx)
	}
	common := s.commonTypes(s.Config.shows(), wire.ExtServerCertificateType, s.Offer.ServerTypes)
	for i, t := range common {
		if t == wire.CertificateTypeX509 {
			s.choseType(wire.Server, t, s.Config.shows(), s.Offer.ServerTypes)
			return s.pickCertificate(ctx)
		}
		key, fits, err := s.Config.RawKey(ctx, s, nil)
		if err != nil {
			return refusedBy("GetCertificate", err)
		}
		if key == nil || !fits && i < len(common)-1 { // the last one is to say why it does not fit
			continue
		}
		if s.certificate, err = bare(key); err != nil {
			return err
		}
		s.Result.ServerCertificate, s.Result.Secrets.OwnCertificate = t, nil
		s.choseType(wire.Server, t, s.Config.shows(), s.Offer.ServerTypes)
		s.choseRawKey(wire.Server)
		return nil
	}
	return s.noCommonType("server", s.Config.shows(), s.Offer.ServerTypes)
}

// agreeClientType picks how the client shows its key, where it is asked to.
func (s *State) agreeClientType() error {
	if !s.Result.ClientAuth || len(s.Config.AcceptTypes) == 0 && !s.asked(wire.ExtClientCertificateType) {
		return nil
	}
	common := s.commonTypes(s.Config.accepts(), wire.ExtClientCertificateType, s.Offer.ClientTypes)
	if len(common) == 0 {
		return s.noCommonType("client", s.Config.accepts(), s.Offer.ClientTypes)
	}
	s.Result.ClientCertificate = common[0]
	s.choseType(wire.Client, common[0], s.Config.accepts(), s.Offer.ClientTypes)
	return nil
}

func (s *State) noCommonType(whose string, ours, theirs []wire.CertificateType) error {
	return disagree(wire.AlertUnsupportedCertificate, "certificate type", "RFC 7250 §4.2", ours, orX509(theirs),
		"have the client offer one of ours for the "+whose+"'s certificate, or list one of its in RawPublicKeys")
}

// bare is what stands for a certificate where the key of c is shown without one.
func bare(c *stdtls.Certificate) (*stdtls.Certificate, error) {
	pub, err := publicKey(c)
	if err != nil {
		return nil, err
	}
	var der []byte
	if chain := c.Certificate; len(chain) > 0 {
		leaf, err := x509.ParseCertificate(chain[0])
		if err != nil {
			return nil, fault(wire.AlertInternalError, "the certificate whose key is to be shown bare does not parse", "", err)
		}
		der = leaf.RawSubjectPublicKeyInfo
	} else if der, err = x509.MarshalPKIXPublicKey(pub); err != nil {
		return nil, fault(wire.AlertInternalError, "a key of the kind "+keyName(pub)+" can be shown bare only with its certificate beside it", "", err)
	}
	return &stdtls.Certificate{
		Certificate: [][]byte{der}, PrivateKey: c.PrivateKey, SupportedSignatureAlgorithms: c.SupportedSignatureAlgorithms,
		Leaf: &x509.Certificate{RawSubjectPublicKeyInfo: der, PublicKey: pub},
	}, nil
}

// Bare is what a client shows where it shows the key of c without a certificate; nil for
// what cannot be shown so.
func Bare(c *stdtls.Certificate) []byte {
	if own, err := bare(c); err == nil {
		return own.Certificate[0]
	}
	return nil
}

// ParseRawKey reads a SubjectPublicKeyInfo in DER that a peer has sent. der is kept.
func ParseRawKey(der []byte) (*RawKey, error) {
	pub, err := x509.ParsePKIXPublicKey(der)
	if other, otherErr := otherkeys.ParsePublic(der); otherErr == nil {
		pub, err = other, nil
	}
	if err != nil {
		return nil, fault(wire.AlertDecodeError, "the peer's raw public key cannot be read", "RFC 7250 §3", errors.New(quoted(err.Error())))
	}
	return &RawKey{der, pub}, nil
}

// AsCertificate lends the key the form in which certcheck judges keys: a certificate has no
// PublicKey where crypto/x509 does not know its kind.
func (k *RawKey) AsCertificate() *x509.Certificate {
	c := &x509.Certificate{RawSubjectPublicKeyInfo: k.DER}
	if _, err := otherkeys.ParsePublic(k.DER); err != nil {
		c.PublicKey = k.Public
	}
	return c
}

// recvRawKey takes a Certificate that holds a raw public key.
func (s *State) recvRawKey(ctx context.Context, entry wire.CertificateEntry) error {
	for _, x := range entry.Extensions {
		return fault(wire.AlertUnsupportedExtension, "a raw public key comes with the extension "+x.Type.String()+", which is for certificates", "RFC 8446 §4.4.2", nil)
	}
	key, err := ParseRawKey(slices.Clone(entry.DER))
	if err != nil {
		return err
	}
	if err := s.sameIdentity(wire.CertificateTypeRawPublicKey, key.DER); err != nil {
		return err
	}
	s.Result.Peer.RawKey = key
	if err := s.Config.VerifyKey(ctx, s, key); err != nil {
		return s.refuse(err)
	}
	return s.checkKind(key.Public)
}

// key is the public key that the peer has shown; nil for none.
func (p *Peer) key() crypto.PublicKey {
	switch {
	case p.RawKey != nil:
		return p.RawKey.Public
	case len(p.Certificates) > 0:
		return otherkeys.Of(p.Certificates[0])
	}
	return nil
}

// rsaKey is the RSA key to which a premaster is encrypted.
func (p *Peer) rsaKey() *rsa.PublicKey {
	if p.RawKey != nil {
		return otherkeys.RSA(p.RawKey.AsCertificate())
	}
	return otherkeys.RSA(p.Certificates[0])
}

// shown is how the peer has shown its key, and its leaf or raw key in DER; nil for none.
func (p *Peer) shown() (wire.CertificateType, []byte) {
	switch {
	case p.RawKey != nil:
		return wire.CertificateTypeRawPublicKey, p.RawKey.DER
	case len(p.Certificates) > 0:
		return wire.CertificateTypeX509, p.Certificates[0].Raw
	}
	return wire.CertificateTypeX509, nil
}

// known reports that the peer has shown a key.
func (p *Peer) known() bool { return p.RawKey != nil || len(p.Certificates) > 0 }

// notTaken is the error for a peer that shows its key as we do not take it.
func (s *State) notTaken(t wire.CertificateType) error {
	if slices.Contains(s.Config.accepts(), t) {
		return nil
	}
	return disagree(wire.AlertUnsupportedCertificate, "certificate type", "RFC 7250 §4.2", s.Config.accepts(), []wire.CertificateType{t},
		"list in RawPublicKeys.Accept what the "+s.Role.Peer().String()+" shows, or have it show another")
}
