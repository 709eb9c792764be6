package tls

import (
	"errors"
	"io"
	"testing"
)

// A handshake that the peer cuts off, before its first byte or in the middle of a record,
// ends with a HandshakeError that is io.ErrUnexpectedEOF, and never io.EOF: ADR 8.
func TestAHandshakeThatIsCutOff(t *testing.T) {
	for _, role := range []string{"client", "server"} {
		for _, said := range []string{"", "\x16", "\x16\x03\x03\x00\x64", "\x16\x03\x03\x00\x64\x02"} {
			a, b := memoryPipe()
			c := Client(a, testPKI().client())
			if role == "server" {
				c = Server(a, testPKI().server("ecdsa-p256"))
			}
			io.WriteString(b, said)
			b.Close()
			err := c.Handshake()
			if _, known := errors.AsType[*HandshakeError](err); !known || !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
				t.Errorf("%s, after %d bytes: %T, %v", role, len(said), err, err)
			}
			a.Close()
		}
	}
}
