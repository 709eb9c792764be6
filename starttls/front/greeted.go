package front

import "net"

// openings are how servers open a session, for protocols in which the client waits for that.
var openings = map[string]string{
	"smtp": "220 vitrine ESMTP ready\r\n",
	"lmtp": "220 vitrine LMTP ready\r\n",
	"imap": "* OK ready\r\n",
	"pop3": "+OK ready\r\n",
	"nntp": "200 ready\r\n",
}

// Greeted is the connection to a server that package starttls has turned to TLS, for a client that
// knows nothing of that: it begins with a greeting. The server's own was said before TLS, and it
// says none again. RFC 3207 §4.2. Protocols in which the client speaks first stay as they are.
func Greeted(protocol string, backend net.Conn) net.Conn {
	opening := openings[protocol]
	if opening == "" {
		return backend
	}
	return &joined{Conn: backend, early: []byte(opening)}
}
