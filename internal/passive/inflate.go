package passive

import (
	hellos "github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

// inflate reports the Certificate inside a CompressedCertificate that was told of last: as long as
// the engine would take one, and only if it is what it says. RFC 8879 §4.
func (l *Listener) inflate(d *direction, raw []byte) {
	m := new(wire.CompressedCertificate)
	if wire.Decode(m, raw[wire.HeaderLen:], l.hs.context(d.from), nil) != nil || int64(m.Length) > hellos.MaxInflated(len(m.Compressed)) {
		return
	}
	a, known := l.keys.compression(m.Algorithm)
	if !known {
		return
	}
	n := int(m.Length)
	message := make([]byte, wire.HeaderLen+n)
	copy(message, []byte{byte(wire.TypeCertificate), byte(n >> 16), byte(n >> 8), byte(n)})
	if a.Decompress(message[wire.HeaderLen:], m.Compressed) == nil {
		l.inside(d, message)
	}
}
