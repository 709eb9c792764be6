package attacks

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// DROWN (CVE-2016-0800): a server that speaks SSL 2.0 with the same key decrypts
// for anyone who asks. There is no SSL 2.0 here; a hello in its format is understood
// only behind Legacy.SSL2Hello, and only as an offer of a later version.

// ssl2Hello is a hello in the format of SSL 2.0, which offers up to v.
func ssl2Hello(v wire.Version, suites ...byte) []byte {
	body := []byte{1, byte(v >> 8), byte(v), 0, byte(len(suites)), 0, 0, 0, 32}
	body = append(body, suites...)
	body = append(body, bytes.Repeat([]byte{7}, 32)...)
	return append([]byte{0x80, byte(len(body))}, body...)
}

func TestDROWN(t *testing.T) {
	ssl3, ssl2 := []byte{0, 0, 0x2f}, []byte{1, 0, 0x80} // AES_128_CBC_SHA with RSA; RC4_128_WITH_MD5
	for _, test := range []struct {
		name  string
		on    bool
		hello []byte
		alert wire.AlertCode // 0: the server goes on
	}{
		{"off", false, ssl2Hello(wire.TLS12, ssl3...), wire.AlertProtocolVersion},
		{"on", true, ssl2Hello(wire.TLS12, ssl3...), 0},
		{"SSL 2.0 alone", true, ssl2Hello(wire.SSL20, ssl2...), wire.AlertProtocolVersion},
		{"SSL 2.0 alone, off", false, ssl2Hello(wire.SSL20, ssl2...), wire.AlertProtocolVersion},
		{"suites of SSL 2.0 alone", true, ssl2Hello(wire.TLS12, ssl2...), wire.AlertHandshakeFailure},
		{"a version that is switched off", true, ssl2Hello(wire.TLS10, ssl3...), wire.AlertProtocolVersion},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				_, server := configs(suite.ByID(wire.TLS_RSA_WITH_AES_128_CBC_SHA), wire.TLS12)
				server.Legacy.SSL2Hello = test.on
				n := newNetwork(t, nil)
				done := make(chan error, 1)
				go func() {
					c := tls.Server(rest{bytes.NewReader(test.hello), n.server}, server)
					err := c.Handshake()
					c.Close()
					done <- err
				}()
				settle()
				answer := n.records(wire.Server)
				if test.alert == 0 {
					if len(answer) == 0 || typeOf(answer[0]) != wire.ContentHandshake {
						t.Errorf("the server answers %x", answer)
					}
				} else if len(answer) != 1 || typeOf(answer[0]) != wire.ContentAlert || wire.AlertCode(answer[0][6]) != test.alert {
					t.Errorf("the server answers %x; want %v", answer, test.alert)
				}
				if err := <-done; !test.on && !strings.Contains(err.Error(), "SSL 2.0") {
					t.Errorf("the error does not name SSL 2.0: %v", err)
				}
			})
		})
	}
}

// rest is a connection on which some bytes have arrived already.
type rest struct {
	first io.Reader
	net.Conn
}

func (r rest) Read(p []byte) (int, error) {
	if n, _ := r.first.Read(p); n > 0 {
		return n, nil
	}
	return r.Conn.Read(p)
}
