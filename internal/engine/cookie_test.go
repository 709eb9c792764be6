package engine

import (
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// A cookie is compared byte by byte, not by its length. RFC 8446 §4.2.2.
func TestAnotherCookieIsRefused(t *testing.T) {
	changed := hello2(func(m *wire.ClientHello) {
		m.Extensions.Read(wire.ExtCookie, func(r *wire.Reader) { wire.ReadCookie(r)[31] ^= 1 })
	})
	victim := flow{hosts: hostsRetry}.run(t, wire.Client, changed)
	victim.wants(t, wire.AlertIllegalParameter)
}
