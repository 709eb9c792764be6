package handshake

import (
	"context"
	stdtls "crypto/tls"
	"slices"

	"github.com/vitrine-tls/vitrine/wire"
)

// requestInfo shows a CertificateRequest to the application. Where schemes have
// no names on the wire, it is shown all that the certificate types allow.
func (s *State) requestInfo(ctx context.Context) *stdtls.CertificateRequestInfo {
	r := s.request
	info := &stdtls.CertificateRequestInfo{AcceptableCAs: r.authorities, Version: uint16(s.Result.Version)}
	schemes := r.schemes
	if s.profile.schemes != nil {
		schemes = s.Config.Schemes
	}
	for _, scheme := range schemes {
		if acceptsType(r.types, signerOf(scheme)) {
			info.SignatureSchemes = append(info.SignatureSchemes, stdtls.SignatureScheme(scheme))
		}
	}
	SetContext(info, ctx)
	return info
}

// acceptsType: up to TLS 1.2 the certificate types restrict the schemes too.
// RFC 5246 §7.4.4, RFC 8422 §5.5.
func acceptsType(types []wire.ClientCertificateType, g *signer) bool {
	return types == nil || g == nil || slices.Contains(types, certificateTypes[g.kind])
}

var certificateTypes = map[keyKind]wire.ClientCertificateType{
	keyRSA: wire.CertTypeRSASign, keyRSAPSS: wire.CertTypeRSASign, keyDSA: wire.CertTypeDSSSign,
	keyECDSA: wire.CertTypeECDSASign, keyEd25519: wire.CertTypeECDSASign,
	keyPSS: wire.CertTypeRSASign, keyEd448: wire.CertTypeECDSASign,
	// TLS 1.2 has no type for ML-DSA: draft-ietf-tls-mldsa §3.
}

// restriction is what the owner of a certificate allows it to sign with; nil for
// anything, and where schemes have no names that could be listed.
func (s *State) restriction(c *stdtls.Certificate) []stdtls.SignatureScheme {
	if s.profile.schemes != nil {
		return nil
	}
	return c.SupportedSignatureAlgorithms
}
