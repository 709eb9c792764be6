// Package certcheck decides whether a peer's certificates are good, and says
// in plain words why they are not.
//
// [Parse] reads the certificates of a handshake, within limits on what a peer
// can make us compute. [Verify] looks for every path from the leaf to a trusted root, in any
// order of the certificates sent. It judges each by our own [Rules]: paths that keep them
// all are good. A rule has its source, and the first [Profile] that refuses for it. If a
// stricter profile would refuse, the [Verdict] that [Judge] gives has a warning. On Windows
// and macOS the system's own verifier finds the paths, because only it knows what it trusts.
// [SignatureKeyUsage] and [EncryptionKeyUsage] check what the key exchange
// does with the leaf's key.
//
// # Errors
//
// Every refusal is an [*Error]. It has the alert for the peer, a reason that a
// person understands, and a hint what to do about it:
//
//	the certificate is for "example.com", "www.example.com"; not for "example.org"
//	the certificate expired 3 days ago (2026-11-18)
//	signed by an authority that is not trusted: "Example Internal CA"
//
// It unwraps to crypto/tls's CertificateVerificationError and to the error of
// crypto/x509 (HostnameError, UnknownAuthorityError, CertificateInvalidError),
// so code written for those still works. All that comes from a certificate is
// quoted and shortened in a reason, and is safe to log.
//
// # Defaults
//
// The zero [Options] are the strict ones: the system's roots, now, server
// authentication, RSA keys of 2048 bits or more. They need a name, since a
// server's certificate that is checked against no name proves nothing.
// Signatures over MD5 and SHA-1 are refused, unless Options.LegacySignatures is set.
package certcheck
