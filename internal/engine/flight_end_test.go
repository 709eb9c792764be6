package engine

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/wire"
)

// What stands behind a flight in its record, be it part of a message, ends the
// handshake before it is answered. BoGo calls it excess handshake data.
func TestNothingFollowsAFlight(t *testing.T) {
	for name, test := range map[string]struct {
		hosts func(testing.TB) (c, s *host)
		from  wire.Role
		last  wire.HandshakeType // of the flight
	}{
		"ClientHello up to TLS 1.2": {hosts12, wire.Client, wire.TypeClientHello},
		"ClientHello of TLS 1.3":    {hosts13, wire.Client, wire.TypeClientHello},
		"ServerHelloDone":           {hosts12, wire.Server, wire.TypeServerHelloDone},
	} {
		t.Run(name, func(t *testing.T) {
			l := connect(test.hosts(t))
			l.tamper = func(from wire.Role, rec []byte) [][]byte {
				if from != test.from || rec[0] != byte(wire.ContentHandshake) || !endsWith(rec[record.HeaderLen:], test.last) {
					return [][]byte{rec}
				}
				rec = append(slices.Clone(rec), byte(wire.TypeFinished)) // the first byte of a message
				binary.BigEndian.PutUint16(rec[3:], uint16(len(rec)-record.HeaderLen))
				return [][]byte{rec}
			}
			l.run()
			to := l.of(test.from.Peer())
			to.wants(t, wire.AlertUnexpectedMessage)
			if !strings.Contains(to.err.Error(), "more than its flight") {
				t.Errorf("refused for another reason: %v", to.err)
			}
		})
	}
}

// endsWith reports whether the last of the messages is of type last.
func endsWith(messages []byte, last wire.HandshakeType) bool {
	typ := wire.HandshakeType(0)
	for n := wire.MessageLen(messages); n > 0 && n <= len(messages); n = wire.MessageLen(messages) {
		typ, messages = wire.HandshakeType(messages[0]), messages[n:]
	}
	return typ == last && len(messages) == 0
}
