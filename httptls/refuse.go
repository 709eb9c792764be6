package httptls

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// httpMethods are the first five bytes of a request in the clear.
var httpMethods = []string{"GET /", "HEAD ", "POST ", "PUT /", "PATCH", "DELET", "OPTIO", "TRACE", "CONNE", "PRI *"}

const (
	plainHTTPAnswer = "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n" +
		"Client sent an HTTP request to an HTTPS server.\n"

	// inadequateSecurity is an empty SETTINGS frame and a GOAWAY frame with the
	// error code INADEQUATE_SECURITY. RFC 9113 §6.5, §6.8, §7.
	inadequateSecurity = "\x00\x00\x00\x04\x00\x00\x00\x00\x00" +
		"\x00\x00\x08\x07\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x0c"

	// lingerTime and lingerBytes bound how long we take in what a refused peer
	// still sends: closing before would reset the connection and lose our answer.
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 64 << 10
)

// isHTTP reports whether proto, as agreed on by ALPN, is one that we serve;
// without ALPN it is HTTP/1.1.
func isHTTP(proto string) bool {
	return proto == "" || proto == protoHTTP1 || proto == protoHTTP10 || proto == protoHTTP2
}

// suitsHTTP2 ends a connection of HTTP/2 whose cipher suite HTTP/2 prohibits,
// and says so.
func suitsHTTP2(conn *tls.Conn) error {
	state := conn.ConnectionState()
	if state.NegotiatedProtocol != protoHTTP2 || goodForHTTP2(state) {
		return nil
	}
	io.WriteString(conn, inadequateSecurity) // best effort: the reason is returned
	return fmt.Errorf("HTTP/2 was agreed on, but it prohibits the cipher suite %s (RFC 9113 §9.2.2)", tls.CipherSuiteName(state.CipherSuite))
}

// goodForHTTP2 holds for the suites that RFC 9113's Appendix A does not
// prohibit: those of TLS 1.3, and with forward secrecy and an AEAD.
func goodForHTTP2(state tls.ConnectionState) bool {
	if state.Version >= tls.VersionTLS13 {
		return true
	}
	name := tls.CipherSuiteName(state.CipherSuite)
	return strings.HasPrefix(name, "TLS_ECDHE_") && !strings.Contains(name, "_CBC_") && !strings.Contains(name, "_RC4_")
}

// refuse ends a connection whose handshake failed, so that the peer gets to read
// the alert that says why. HTTP in the clear is answered in the clear: it is a
// frequent mistake, and its user reads HTTP, not alerts.
func refuse(raw net.Conn, err error) {
	defer raw.Close()
	raw.SetDeadline(time.Now().Add(lingerTime))
	var header tls.RecordHeaderError
	if errors.As(err, &header) && header.Conn != nil && slices.Contains(httpMethods, string(header.RecordHeader[:])) {
		io.WriteString(raw, plainHTTPAnswer) // best effort, as what follows
	}
	if half, ok := raw.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		io.CopyN(io.Discard, raw, lingerBytes)
	}
}
