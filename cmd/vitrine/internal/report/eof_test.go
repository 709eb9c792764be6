package report

import (
	"net"
	"testing"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// A close_notify in the middle of a handshake is a word, and its sender speaks TLS;
// an end without one is none.
func TestTheEndDuringAHandshake(t *testing.T) {
	for answer, want := range map[string]string{
		"\x15\x03\x03\x00\x02\x01\x00": "the peer closed the connection during the handshake, by close_notify, it does not say why: it may want another name (--sni) or version (--max)",
		"":                             "the peer closed the connection during the handshake, it may want another name (--sni) or version (--max), or not speak TLS on this port",
	} {
		ours, theirs := net.Pipe()
		go func() {
			theirs.Read(make([]byte, 4096))
			theirs.Write([]byte(answer))
			theirs.Close()
		}()
		err := tls.Client(ours, &tls.Config{ServerName: "a.test"}).Handshake()
		f := Describe(WhileShakingHands(err), wire.Client, nil)
		if got := f.Text + ", " + f.Advice; got != want {
			t.Errorf("after %q it says\n%s, want\n%s", answer, got, want)
		}
	}
}
