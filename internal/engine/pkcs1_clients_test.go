package engine

import (
	stdtls "crypto/tls"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// A server never signs with what is for clients alone, whatever its client offers and its
// certificate names. draft-ietf-tls-tls13-pkcs1 §2.
func TestServersSignNothingOfClients(t *testing.T) {
	hosts := only(wire.TLS13, withRSA, func(_, s *host) {
		own := *s.certificate
		own.SupportedSignatureAlgorithms = []stdtls.SignatureScheme{stdtls.SignatureScheme(wire.RSAPKCS1SHA256Legacy)}
		s.certificate = &own
	})
	victim := flow{hosts: hosts}.run(t, wire.Client, clientHello(func(m *wire.ClientHello) {
		set(&m.Extensions, wire.ExtSignatureAlgorithms, 0, 2, 4, 0x20)
	}))
	if got := victim.verdict(); got != wire.AlertHandshakeFailure {
		t.Errorf("sent %v for %v", got, victim.err)
	}
}
