// Package front is the server's side of STARTTLS, for a proxy in front of a server that speaks
// its protocol in the clear.
//
//	err := front.Greet(ctx, "smtp", raw, front.Options{})    // up to the agreement on TLS
//	conn := tls.Server(raw, config)
//	err = conn.HandshakeContext(ctx)
//	backend, err := front.Join(ctx, "smtp", dialled)         // its greeting is read
//	// from here on bytes go between conn and backend
//
// [Greet] speaks for itself up to TLS, and the server behind is not yet reached. So nothing
// that is said in the clear gets to it: its session begins fresh under TLS, as RFC 3207 and
// RFC 9051 want it. A route may be chosen by the name in the ClientHello, and a flood in the
// clear costs the server nothing. In the clear a client may ask what the server can do, and
// the answer is STARTTLS alone. It may do nothing, leave, or begin TLS; all else is refused.
// Bytes behind the command that begins TLS are an error. Somebody on the way may have put them
// there, and the server would take them for what the client said under TLS (CVE-2011-0411).
//
// The greeting of the server behind is read by [Join], and is not passed on, since its place
// is before TLS. Its answers pass on as they are but for one thing: where it offers STARTTLS
// in its own answer to EHLO (SMTP) or in its CAPABILITY (IMAP), the offer is taken out, for
// TLS is on. POP3's APOP does not work, since it needs that greeting. A server of POP3 or LDAP
// that offers TLS by itself goes on offering it.
//
// [FTP] is the whole of FTP, whose files go over connections of their own.
package front
