package handshake

import (
	"context"
	stdtls "crypto/tls"

	"github.com/vitrine-tls/vitrine/wire"
)

// requestInfo shows a CertificateRequest to the application.
func requestInfo(ctx context.Context, v wire.Version, r *request) *stdtls.CertificateRequestInfo {
	info := &stdtls.CertificateRequestInfo{AcceptableCAs: r.authorities, Version: uint16(v)}
	for _, scheme := range r.schemes {
		if acceptsType(r.types, signerOf(scheme)) {
			info.SignatureSchemes = append(info.SignatureSchemes, stdtls.SignatureScheme(scheme))
		}
	}
	SetContext(info, ctx)
	return info
}

// acceptsType: until TLS 1.2 the certificate types restrict the schemes too.
// RFC 5246 §7.4.4, RFC 8422 §5.5.
func acceptsType(types []wire.ClientCertificateType, g *signer) bool {
	if types == nil || g == nil {
		return true
	}
	want := wire.CertTypeECDSASign
	if g.kind == keyRSA || g.kind == keyRSAPSS {
		want = wire.CertTypeRSASign
	}
	for _, t := range types {
		if t == want {
			return true
		}
	}
	return false
}
