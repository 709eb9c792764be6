package attacks

import (
	"fmt"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// Early change_cipher_spec (CVE-2014-0224): OpenSSL took one before there was a
// master secret, and both sides went on with keys that an attacker knows too. Here
// it is legal in one state. The attacker puts one into the stream at every place,
// in both directions, and into full and abbreviated handshakes; the states that
// only a rogue peer reaches are those of TestChangeCipherSpecWhereItIsNotDue of
// internal/engine.
func TestEarlyCCS(t *testing.T) {
	for _, id := range []wire.CipherSuite{
		wire.TLS_RSA_WITH_AES_128_CBC_SHA, wire.TLS_DHE_RSA_WITH_AES_128_CBC_SHA, wire.TLS_DHE_PSK_WITH_AES_128_CBC_SHA,
		wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	} {
		s := suite.ByID(id)
		for _, v := range oldVersions {
			if !s.Allows(v) {
				continue
			}
			for _, resumed := range []bool{false, true} {
				if resumed && (s.KeyExchange.PSK() || v == wire.SSL30) {
					continue // these have no tickets
				}
				t.Run(fmt.Sprint(s.Name, "/", v, "/", resumed), func(t *testing.T) {
					t.Parallel()
					bubble(t, func(t *testing.T) { everyPlace(t, s, v, resumed) })
				})
			}
		}
	}
}

func everyPlace(t *testing.T, s *suite.Suite, v wire.Version, resumed bool) {
	client, server := configs(s, v)
	if resumed {
		client.ClientSessionCache = tls.NewLRUClientSessionCache(0)
		connect(t, client, server, nil).well(t)
	}
	for _, role := range []wire.Role{wire.Client, wire.Server} {
		places := 0
		connect(t, client, server, early(role, -1, &places)).well(t)
		if places < 3 {
			t.Fatalf("the %v sends %d records", role, places)
		}
		for place := range places {
			count := 0
			e := connect(t, client, server, early(role, place, &count))
			victim, err, conn := "server", e.serverErr, e.server
			if role == wire.Server {
				victim, err, conn = "client", e.clientErr, e.client
			}
			if err == nil { // behind its Finished
				_, err = conn.Read(make([]byte, 1))
			}
			if conn.ConnectionState().HandshakeComplete && place < places-1 {
				t.Errorf("the %s has completed the handshake in spite of a change_cipher_spec at place %d", victim, place)
			}
			if err == nil {
				t.Errorf("the %s has taken a change_cipher_spec at place %d", victim, place)
			}
		}
	}
}

// early puts a change_cipher_spec before the record with the number place.
func early(from wire.Role, place int, count *int) func(wire.Role, []byte) [][]byte {
	split := inClear(func(_ wire.Role, raw []byte) [][]byte { return [][]byte{raw} })
	return func(role wire.Role, rec []byte) (out [][]byte) {
		for _, r := range split(role, rec) {
			if role == from {
				if *count == place {
					out = append(out, clearRecord(wire.ContentChangeCipherSpec, wire.Version(r[1])<<8|wire.Version(r[2]), []byte{1}))
				}
				*count++
			}
			out = append(out, r)
		}
		return out
	}
}
