// Package access decides which clients may come in. Rules are text, and a client that
// meets one of them is let in:
//
//	all                      any client with a verified certificate
//	cn:NAME                  the common name of its subject
//	ou:NAME                  one of the organizational units of its subject
//	dns:NAME                 a DNS name of its subjectAltName; dns:*.NAME is one label before NAME
//	uri:URI                  a URI of its subjectAltName; see below
//	ip:ADDRESS or ip:NETWORK an IP address of its subjectAltName
//	psk:IDENTITY             a pre-shared key of that identity
//	spki:sha256/BASE64       the public key of its certificate
//	peer:NETWORK             the address it connects from, or peer:unix for a unix socket
//	cel:EXPRESSION           what the expression says; see [Variables]
//
// # What counts
//
// A certificate counts once its chain is verified: without that all of its names are only
// claims. A client without such a certificate and without a pre-shared key is anonymous, and
// no rule lets it in. There are two exceptions, both written in the rule itself.
//
// spki names a key. It proves that the client has the private key, since a handshake ends
// only with a signature by it. It proves nothing of names, times and revocation, which
// nobody has looked at where the chain is not verified.
//
// peer decides alone on a connection without TLS, where nobody has an identity. With TLS it
// lets in a client from there that is not anonymous.
//
// # How names are compared
//
// Common names and units are compared byte by byte. A subject with several common names
// meets no cn rule: programs disagree on which of them is the name. A common name is never
// taken for a DNS name (RFC 9525 §6.3).
//
// DNS names are compared without regard to the case of ASCII letters. A rule in Unicode is
// turned into its ASCII form (RFC 5891). A name in a certificate counts only if it consists
// of letters, digits, hyphens and underscores between dots. One with a NUL, a dot at its
// end, an asterisk or Unicode meets no rule. A certificate for *.example.com stands for
// many clients, and so for none.
//
// URIs are compared byte by byte. At the end of a rule for spiffe:// or another scheme with
// a path, /* stands for one segment and /** for one or more. A segment then has only
// letters, digits and .-_~ and is neither . nor .. . A certificate with a SPIFFE ID and
// another URI beside it meets no uri rule (X509-SVID §2).
package access
