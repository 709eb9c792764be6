package handshake

import (
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// Whatever a flow receives is parsed by its own grammar, also what the State has
// no room for.
func TestBlank(t *testing.T) {
	s := new(State)
	for typ := range wire.HandshakeType(SSL2Hello) {
		m := s.blank(typ)
		if _, opaque := m.(*wire.Opaque); m.Type() != typ || opaque == typ.Known() {
			t.Errorf("a %v is parsed into %T", typ, m)
		}
	}
	if m := s.blank(SSL2Hello); m.Type() != wire.TypeClientHello {
		t.Errorf("a hello of SSL 2.0 is parsed into %T", m)
	}
}
