package tls

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"github.com/vitrine-tls/vitrine/wire"
)

// A stranger chooses the host_name, and applications look it up and log it: what is
// no host's name ends the handshake before any callback, and its error is short.
func TestAServerTakesHostNamesOnly(t *testing.T) {
	p := testPKI()
	long := strings.Repeat("a.", 127) + "b" // 255 bytes
	for name, good := range map[string]bool{
		"localhost": true, "A-1.example": true, "under_score.example": true, "xn--bcher-kva.example": true,
		"127.0.0.1": true, "::1": true, long: true,
		long + "b": false, strings.Repeat("a", 60000): false,
		"final.dot.": false, ".": false, "a..b": false, "-a.example": false, "host:443": false, "a b": false,
		"a\x00.example": false, "a\nlevel=ERROR msg=forged": false, "bücher.example": false, "\xff": false, "::1%eth0": false, "*.example": false,
		strings.Repeat("\x1b", 255): false,
	} {
		m := capture(t, p.client())
		setExtension(&m.Extensions, wire.ExtServerName, string(wire.AppendServerName(nil, name)))
		called, server := false, p.server("ecdsa-p256")
		server.GetConfigForClient = func(info *ClientHelloInfo) (*Config, error) {
			called = info.ServerName == name
			return nil, errors.New("enough was seen")
		}
		alert, err := answer(t, server, splitRecords(wire.AppendMessage(nil, m, wire.Context{})))
		if called != good || len(err.Error()) > 400 || strings.ContainsFunc(err.Error(), notPrintable) {
			t.Errorf("%.40q: called back: %v; %v", name, called, err)
		}
		if !good {
			expectAlert(t, alert, err, wire.AlertIllegalParameter)
		}
	}
}

// splitRecords puts a message into as many records as it needs.
func splitRecords(message []byte) (records []byte) {
	const most = 1 << 14
	for len(message) > most {
		records, message = append(records, recordOf(wire.ContentHandshake, message[:most])...), message[most:]
	}
	return append(records, recordOf(wire.ContentHandshake, message)...)
}

func TestAClientAsksForNoNameThatIsTooLong(t *testing.T) {
	for name, good := range map[string]bool{
		strings.Repeat("a.", 128):       true, // 255 bytes without the final dot
		strings.Repeat("a.b.", 64):      true,
		strings.Repeat("a.", 128) + "b": false,
		strings.Repeat("a", 1<<16):      false,
	} {
		left, right := pipePair(t)
		right.Close()
		err := Client(left, &Config{ServerName: name}).Handshake()
		if err == nil || strings.Contains(err.Error(), "ServerName has") == good {
			t.Errorf("%d bytes: %v", len(name), err)
		}
	}
}

func notPrintable(r rune) bool { return !unicode.IsPrint(r) }
