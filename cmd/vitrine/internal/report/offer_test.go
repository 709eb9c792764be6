package report

import (
	stdtls "crypto/tls"
	"io"
	"net"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// clientHello returns a ClientHello, with its header, as another stack sends it.
func clientHello(t *testing.T, config *stdtls.Config) []byte {
	t.Helper()
	ours, theirs := net.Pipe()
	defer ours.Close()
	go stdtls.Client(theirs, config).Handshake()
	header := make([]byte, wire.RecordHeaderLen)
	if _, err := io.ReadFull(ours, header); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, int(header[3])<<8|int(header[4]))
	if _, err := io.ReadFull(ours, body); err != nil {
		t.Fatal(err)
	}
	return body
}

func TestOfferIsReadOffTheWire(t *testing.T) {
	hello := clientHello(t, &stdtls.Config{
		ServerName: "example.com", NextProtos: []string{"h2", "\x1b"}, MaxVersion: stdtls.VersionTLS12,
		CipherSuites:     []uint16{stdtls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256},
		CurvePreferences: []stdtls.CurveID{stdtls.CurveP256},
	})
	var o Offer
	if o.about(wire.AlertProtocolVersion) != nil {
		t.Error("there is an offer before the ClientHello")
	}
	o.Hooks().Message(trace.Message{Dir: trace.Received, Raw: hello})
	if o.suites != nil {
		t.Error("the peer's message was taken for ours")
	}
	o.Hooks().Message(trace.Message{Dir: trace.Sent, Raw: hello})
	for alert, want := range map[wire.AlertCode]string{
		wire.AlertProtocolVersion:       "versions TLS 1.2",
		wire.AlertNoApplicationProtocol: "protocols h2, \x1b",
		wire.AlertUnrecognizedName:      "name example.com",
		wire.AlertHandshakeFailure:      "suites TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
		wire.AlertInsufficientSecurity:  "groups secp256r1",
	} {
		if got := o.about(alert); !slices.Contains(got, want) {
			t.Errorf("%v: %q, want %q among it", alert, got, want)
		}
	}
	if got := o.about(wire.AlertInternalError); got != nil {
		t.Errorf("internal_error has nothing to do with the offer, got %q", got)
	}
}

func TestOfferIgnoresWhatDoesNotParse(t *testing.T) {
	var o Offer
	for _, raw := range [][]byte{nil, {1}, {1, 0, 0, 0}, {1, 0, 0, 2, 3, 3}} {
		o.message(trace.Message{Dir: trace.Sent, Raw: raw})
	}
	if o.about(wire.AlertHandshakeFailure) != nil {
		t.Errorf("read %+v", o)
	}
}
