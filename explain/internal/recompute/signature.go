package recompute

import (
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 DHE_DSS suites have no other key
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/asn1"
	"math/big"
	"slices"
	"strings"

	"filippo.io/mldsa"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// schemeHash is the hash that a signature scheme runs before it signs.
var schemeHash = map[wire.SignatureScheme]crypto.Hash{
	wire.RSAMD5SHA1: crypto.MD5SHA1, wire.DSASHA1: crypto.SHA1, wire.DSASHA256: crypto.SHA256,
	wire.RSAPKCS1SHA1: crypto.SHA1, wire.ECDSASHA1: crypto.SHA1,
	wire.RSAPKCS1SHA224: crypto.SHA224, wire.ECDSASHA224: crypto.SHA224,
	wire.RSAPKCS1SHA256: crypto.SHA256, wire.ECDSAP256SHA256: crypto.SHA256, wire.RSAPSSRSAESHA256: crypto.SHA256, wire.RSAPSSPSSSHA256: crypto.SHA256,
	wire.RSAPKCS1SHA256Legacy: crypto.SHA256, wire.RSAPKCS1SHA384Legacy: crypto.SHA384, wire.RSAPKCS1SHA512Legacy: crypto.SHA512,
	wire.RSAPKCS1SHA384: crypto.SHA384, wire.ECDSAP384SHA384: crypto.SHA384, wire.RSAPSSRSAESHA384: crypto.SHA384, wire.RSAPSSPSSSHA384: crypto.SHA384,
	wire.RSAPKCS1SHA512: crypto.SHA512, wire.ECDSAP521SHA512: crypto.SHA512, wire.RSAPSSRSAESHA512: crypto.SHA512, wire.RSAPSSPSSSHA512: crypto.SHA512,
	wire.Ed25519: 0, wire.Ed448: 0, wire.MLDSA44: 0, wire.MLDSA65: 0, wire.MLDSA87: 0,
}

// SchemeOf is what a key signs with up to TLS 1.1, where no message says so; 0
// for a key that signs nothing there. RFC 4346 §7.4.3, RFC 8422 §5.4.
func SchemeOf(key crypto.PublicKey) wire.SignatureScheme {
	switch key.(type) {
	case *rsa.PublicKey:
		return wire.RSAMD5SHA1
	case *dsa.PublicKey:
		return wire.DSASHA1
	case *ecdsa.PublicKey:
		return wire.ECDSASHA1
	}
	return 0
}

// Signed is what is under a signature: data or, in a CertificateVerify of SSL
// 3.0, its two digests, which take the master secret in.
type Signed struct{ data, digests []byte }

// OverParams is what a ServerKeyExchange signs: its parameters after both
// randoms. RFC 5246 §7.4.3, RFC 8422 §5.4.
func OverParams(clientRandom, serverRandom, params []byte) Signed {
	return Signed{data: slices.Concat(clientRandom, serverRandom, params)}
}

// OverTranscript is what the CertificateVerify of a side signs in TLS 1.3: the
// transcript's hash up to it, in a context. RFC 8446 §4.4.3.
func OverTranscript(from wire.Role, transcriptHash []byte) Signed {
	context := strings.Repeat(" ", 64) + "TLS 1.3, " + from.String() + " CertificateVerify\x00"
	return Signed{data: slices.Concat([]byte(context), transcriptHash)}
}

// OverCredential is what the key of a certificate signs to delegate to another: the
// credential up to its signature, behind a context and the certificate. RFC 9345 §4.
func OverCredential(from wire.Role, leaf, credential []byte) Signed {
	context := strings.Repeat(" ", 64) + "TLS, " + from.String() + " delegated credentials\x00"
	return Signed{data: slices.Concat([]byte(context), leaf, credential)}
}

// OverMessages is what a client's CertificateVerify signs up to TLS 1.2: all
// messages before it. RFC 5246 §7.4.8, RFC 2246 §7.4.8, RFC 6101 §5.6.8.
func OverMessages(v wire.Version, messages, master []byte) Signed {
	if v == wire.SSL30 {
		return Signed{digests: finished30(master, messages, "")}
	}
	return Signed{data: messages}
}

// digest is the hash that is signed; Ed25519, Ed448 and ML-DSA sign the data itself.
func (x Signed) digest(hash crypto.Hash) []byte {
	switch {
	case x.digests != nil && hash == crypto.MD5SHA1:
		return x.digests
	case x.digests != nil:
		return x.digests[suite.MD5.Size:]
	case hash == crypto.MD5SHA1:
		return hashOf(MD5SHA1, x.data)
	case hash == 0:
		return x.data
	}
	d := hash.New()
	d.Write(x.data)
	return d.Sum(nil)
}

// Verify checks a signature over x; known is false for a scheme or key that
// cannot be judged here.
func Verify(key crypto.PublicKey, scheme wire.SignatureScheme, x Signed, sig []byte) (good, known bool) {
	hash, known := schemeHash[scheme]
	if !known {
		return false, false
	}
	sum := x.digest(hash)
	switch key := key.(type) {
	case *otherkeys.PSSPublicKey:
		return strings.Contains(scheme.String(), "_pss_pss_") && key.Limits.Allow(hash, hash.Size()) && verifyPSS(key.Key, hash, sum, sig), true
	case otherkeys.Ed448PublicKey:
		return scheme == wire.Ed448 && key.Verify(x.data, sig), true
	case otherkeys.MLDSAPublicKey:
		return scheme == key.Set.Scheme() && verifyMLDSA(key, x.data, sig), true
	case *rsa.PublicKey:
		if strings.Contains(scheme.String(), "_pss_rsae_") {
			return verifyPSS(key, hash, sum, sig), true
		}
		return strings.Contains(scheme.String(), "_pkcs1_") && rsa.VerifyPKCS1v15(key, hash, sum, sig) == nil, true
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, sum, sig), true
	case *dsa.PublicKey:
		return verifyDSA(key, sum, sig), true
	case ed25519.PublicKey:
		return ed25519.Verify(key, x.data, sig), true
	}
	return false, false
}

// verifyPSS is crypto/rsa's: what is computed again here is computed by other code.
func verifyPSS(key *rsa.PublicKey, hash crypto.Hash, sum, sig []byte) bool {
	return rsa.VerifyPSS(key, hash, sum, sig, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
}

// verifyMLDSA is by another implementation than the engine's.
func verifyMLDSA(key otherkeys.MLDSAPublicKey, data, sig []byte) bool {
	set, ok := map[wire.SignatureScheme]mldsa.Parameters{
		wire.MLDSA44: mldsa.MLDSA44(), wire.MLDSA65: mldsa.MLDSA65(), wire.MLDSA87: mldsa.MLDSA87(),
	}[key.Set.Scheme()]
	if !ok {
		return false
	}
	public, err := mldsa.NewPublicKey(set, key.Bytes())
	return err == nil && mldsa.Verify(public, data, sig, nil) == nil
}

// verifyDSA takes the two numbers in DER and, as some send it in SSL 3.0, bare.
// A key that is too large to compute with in reasonable time is not tried.
func verifyDSA(key *dsa.PublicKey, sum, sig []byte) bool {
	const most = 4096
	if key.P == nil || key.Q == nil || key.P.BitLen() > most || key.Q.BitLen() > key.P.BitLen() {
		return false
	}
	n := (key.Q.BitLen() + 7) / 8
	var v struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(sig, &v); err != nil || len(rest) > 0 {
		if len(sig) != 2*n {
			return false
		}
		v.R, v.S = new(big.Int).SetBytes(sig[:n]), new(big.Int).SetBytes(sig[n:])
	}
	return dsa.Verify(key, sum[:min(n, len(sum))], v.R, v.S)
}
