package engine

import (
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// The extensions of a second ClientHello may stand in another order, as those of some
// clients do; only pre_shared_key must be last. What an extension says, and that it is
// there, may not change. RFC 8446 §4.1.2, §4.2.11.
func TestExtensionsOfASecondClientHello(t *testing.T) {
	swap := func(x wire.Extensions) { slices.Reverse(x) }
	for name, test := range map[string]struct {
		psk   bool
		edit  func(x wire.Extensions)
		alert wire.AlertCode
	}{
		"as before":                     {edit: func(wire.Extensions) {}},
		"in the opposite order":         {edit: swap},
		"turned round":                  {edit: func(x wire.Extensions) { x[0], x[len(x)-1] = x[len(x)-1], x[0] }},
		"a PSK stays last":              {psk: true, edit: func(x wire.Extensions) { slices.Reverse(x[:len(x)-1]) }},
		"a PSK comes first":             {true, swap, wire.AlertIllegalParameter},
		"an extension changes its type": {false, func(x wire.Extensions) { x[3].Type = 0x5a5a }, wire.AlertIllegalParameter},
		"two extensions change places with what they say": {false, func(x wire.Extensions) {
			x[1].Data, x[2].Data = x[2].Data, x[1].Data
		}, wire.AlertIllegalParameter},
	} {
		t.Run(name, func(t *testing.T) {
			h := newServerHost()
			h.config.Groups = []wire.NamedGroup{wire.GroupP384}
			c := newHandmade(t, newSide(wire.Server, h), wire.GroupP256)
			if test.psk {
				c.offerPSK()
			}
			c.send(&c.hello)
			c.serverHello()
			c.share(wire.GroupP384)
			test.edit(c.hello.Extensions)
			c.send(&c.hello)
			if test.alert != 0 {
				c.server.wants(t, test.alert)
				return
			}
			c.finish(c.serverHello())
			c.data("hello")
			if !c.server.Done() || string(c.server.received) != "hello" {
				t.Errorf("done %v, %v", c.server.Done(), c.server.err)
			}
		})
	}
}
