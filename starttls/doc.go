// Package starttls asks a server to turn to TLS on a connection that begins in the
// clear, as mail, directories, chats and databases do.
//
//	raw, err := net.Dial("tcp", "mail.example.com:587")
//	err = starttls.Upgrade(ctx, raw, "smtp", starttls.Options{Host: "mail.example.com"})
//	conn := tls.Client(raw, &tls.Config{ServerName: "mail.example.com"})
//
// [Upgrade] returns without an error only when the server has agreed, and the next byte
// on the connection belongs to TLS. A server that does not offer TLS, or refuses, is an
// error: nothing falls back to the clear. Bytes that came before TLS and behind the
// agreement are an error too. Somebody on the way may have put them there, and an
// application would take them for what the server said under TLS (CVE-2011-0411 and its
// kind).
//
// Nothing that is said before TLS is authentic. The certificate alone says which server
// this is.
package starttls
