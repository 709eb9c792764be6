package attacks

import (
	"errors"
	"fmt"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// Downgrade: an attacker takes the better versions out of a ClientHello, so that
// the two agree on one that it can break. A server that could do better says so
// in its random, which a signature or the Finished covers; a client that could
// looks (RFC 8446 §4.1.3). The version inside an RSA premaster, which SSL 3.0 has
// against the same, is judged without a sign (see bleichenbacher_test.go); the mark
// of a client that retries is TestPOODLEFallback.

// sentinel is what a server's random must end in.
func sentinel(best, agreed wire.Version) string {
	switch {
	case best == wire.TLS13 && agreed == wire.TLS12:
		return wire.DowngradeTLS12
	case best >= wire.TLS12 && agreed < wire.TLS12:
		return wire.DowngradeTLS11
	}
	return ""
}

// lowered is a hello that offers v alone.
func lowered(v wire.Version) func(m *wire.ClientHello) {
	return func(m *wire.ClientHello) {
		m.LegacyVersion = v
		var kept wire.Extensions
		for _, e := range m.Extensions {
			if e.Type != wire.ExtSupportedVersions {
				kept = append(kept, e)
			}
		}
		m.Extensions = kept
	}
}

func TestDowngrade(t *testing.T) {
	for _, id := range []wire.CipherSuite{wire.TLS_RSA_WITH_AES_128_CBC_SHA, wire.TLS_DHE_RSA_WITH_AES_128_CBC_SHA} {
		s := suite.ByID(id)
		for _, best := range append(oldVersions, wire.TLS13) {
			for _, agreed := range oldVersions {
				if agreed >= best {
					continue
				}
				for _, wipe := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s/%v/%v/%v", s.Name, best, agreed, wipe), func(t *testing.T) {
						bubble(t, func(t *testing.T) { downgrade(t, s, best, agreed, wipe) })
					})
				}
			}
		}
	}
}

// downgrade has both sides prefer best and an attacker ask for agreed. With wipe
// the attacker also changes the server's random.
func downgrade(t *testing.T, s *suite.Suite, best, agreed wire.Version, wipe bool) {
	client, server := configs(s, wire.SSL30)
	client.MaxVersion, server.MaxVersion = uint16(best), uint16(best)
	c := wire.Context{Version: agreed, KeyExchange: s.KeyExchange}
	toServer := change(c, lowered(agreed))
	toClient := change(c, func(m *wire.ServerHello) {
		if want := sentinel(best, agreed); string(m.Random[24:]) != want && want != "" {
			t.Errorf("the server's random ends in %q", m.Random[24:])
		}
		if m.LegacyVersion != agreed {
			t.Errorf("the server agrees to %v", m.LegacyVersion)
		}
		if wipe {
			m.Random[31] ^= 0x55
		}
	})
	e := connect(t, client, server, func(from wire.Role, rec []byte) [][]byte {
		if from == wire.Client {
			return toServer(from, rec)
		}
		return toClient(from, rec)
	})
	if e.clientErr == nil || e.serverErr == nil {
		t.Fatalf("client: %v\nserver: %v", e.clientErr, e.serverErr)
	}
	if sentinel(best, agreed) != "" && !wipe {
		refused(t, e.clientErr, wire.AlertIllegalParameter)
		return
	}
	// Without the sign it is the signature, or what was encrypted for another
	// version, or the Finished.
	if wipe && s.KeyExchange.Signed() {
		refused(t, e.clientErr, wire.AlertDecryptError)
		return
	}
	var failure *tls.HandshakeError
	if !errors.As(e.serverErr, &failure) || failure.Received || failure.Alert != wire.AlertBadRecordMAC && failure.Alert != wire.AlertDecryptError {
		t.Errorf("the server: %v", e.serverErr)
	}
}

// A server that agrees to what is not on offer is refused by its version, and a
// client that offers only what is off gets protocol_version.
func TestVersionsThatAreOff(t *testing.T) {
	for _, v := range append([]wire.Version{wire.SSL20, 0x0305, 0x0204}, oldVersions[:3]...) {
		t.Run(v.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				client, server := defaults(suite.AuthRSA)
				e := connect(t, client, server, change(wire.Context{}, func(m *wire.ServerHello) {
					m.LegacyVersion = v
					m.Extensions = nil
				}))
				refused(t, e.clientErr, wire.AlertProtocolVersion)
				if v > wire.TLS13 {
					return // it stands for all before it
				}
				client, server = defaults(suite.AuthRSA)
				e = connect(t, client, server, change(wire.Context{}, lowered(v)))
				refused(t, e.serverErr, wire.AlertProtocolVersion)
			})
		})
	}
}
