package attacks

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// FREAK (CVE-2015-0204): an attacker has the server sign its export key of 512
// bits, breaks it, and the client uses it though it never asked for export. There
// are no export suites here, and RSA has no ServerKeyExchange.

// exportSuites are the registered ones.
var exportSuites = []wire.CipherSuite{0x0003, 0x0006, 0x0008, 0x000b, 0x000e, 0x0011, 0x0014, 0x0017, 0x0019, 0x0026, 0x0027, 0x0028, 0x0029, 0x002a, 0x002b}

func TestFREAKNoExportSuites(t *testing.T) {
	for _, s := range suite.All() {
		if strings.Contains(s.Name, "EXPORT") || s.Cipher != nil && s.Cipher.Bits > 0 && s.Cipher.Bits < 56 {
			t.Errorf("%s is an export suite", s.Name)
		}
	}
	for _, id := range exportSuites {
		if suite.ByID(id) != nil {
			t.Errorf("0x%04x is an export suite", uint16(id))
		}
	}
}

// The attacker asks a server for export suites alone, in the client's name, and
// has a client take one that it did not offer.
func TestFREAKExportIsNotAgreedOn(t *testing.T) {
	rsaOnly := suite.ByID(wire.TLS_RSA_WITH_AES_128_CBC_SHA)
	for _, v := range oldVersions {
		t.Run(v.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				client, server := configs(rsaOnly, v)
				e := connect(t, client, server, change(wire.Context{Version: v}, func(m *wire.ClientHello) { m.CipherSuites = exportSuites }))
				refused(t, e.serverErr, wire.AlertHandshakeFailure)
				for _, id := range exportSuites {
					client, server = configs(rsaOnly, v)
					e = connect(t, client, server, change(wire.Context{Version: v}, func(m *wire.ServerHello) { m.CipherSuite = id }))
					refused(t, e.clientErr, wire.AlertIllegalParameter)
				}
			})
		})
	}
}

// A server that has the certificate's key itself sends a temporary RSA key in a
// suite that has none.
func TestFREAKTemporaryKey(t *testing.T) {
	for _, id := range []wire.CipherSuite{wire.TLS_RSA_WITH_AES_128_CBC_SHA, wire.TLS_RSA_WITH_RC4_128_SHA} {
		for _, v := range oldVersions {
			t.Run(fmt.Sprint(suite.ByID(id).Name, "/", v), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					client, _ := configs(suite.ByID(id), v)
					refused(t, victim(t, client, func(f *forger) {
						f.suite = suite.ByID(id)
						f.version = v
						f.hear()
						f.answer = wire.ServerHello{LegacyVersion: v, Random: make([]byte, 32), CipherSuite: id, NoExtensions: true}
						f.send(&f.answer)
						f.send(certificateOf(testPKI().attacker.Certificate))
						temporary := must(rsa.GenerateKey(rand.Reader, 1024)).PublicKey
						params := append([]byte{0, 128}, temporary.N.Bytes()...)
						params = append(params, 0, 3, 1, 0, 1)
						f.send(&wire.Opaque{MsgType: wire.TypeServerKeyExchange, Body: params})
						f.send(&wire.ServerHelloDone{})
					}), wire.AlertUnexpectedMessage)
				})
			})
		}
	}
}
