package engine

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// A suite that we implement, that fits the version and the certificate, and that we
// did not offer, is refused. RFC 5246 §7.4.1.3, RFC 8446 §4.1.3.
func TestASuiteThatWasNotOfferedIsRefused(t *testing.T) {
	for v, pair := range map[wire.Version][2]wire.CipherSuite{
		wire.TLS12: {wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, wire.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384},
		wire.TLS13: {wire.TLS_AES_128_GCM_SHA256, wire.TLS_AES_256_GCM_SHA384},
	} {
		f := flow{hosts: only(v, suites(pair[0]))}
		victim := f.run(t, wire.Server, serverHello(func(m *wire.ServerHello) { m.CipherSuite = pair[1] }))
		victim.wants(t, wire.AlertIllegalParameter)
		if victim.err == nil || !strings.Contains(victim.err.Error(), "no cipher suite in common") {
			t.Errorf("%v: %v", v, victim.err)
		}
	}
}
