package tls

import (
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// A server of TLS 1.3 tells the client of all its groups where it likes one better than
// the one agreed on, and only there; never before TLS 1.3. RFC 8446 §4.2.7.
func TestAServerTellsOfItsGroups(t *testing.T) {
	for _, test := range []struct {
		name           string
		version        uint16
		client, server []CurveID
		told           bool
	}{
		{"the best of both", VersionTLS13, []CurveID{CurveP256, X25519}, []CurveID{CurveP256, X25519}, false},
		{"the only one", VersionTLS13, []CurveID{X25519}, []CurveID{X25519}, false},
		{"the share is of another", VersionTLS13, []CurveID{X25519, CurveP256}, []CurveID{CurveP256, X25519}, true},
		{"the client lacks the better one", VersionTLS13, []CurveID{X25519}, []CurveID{CurveP521, CurveP384, X25519}, true},
		{"the best one, after a retry", VersionTLS13, []CurveID{X25519, CurveP521}, []CurveID{CurveP521, CurveP384}, false},
		{"the second best, after a retry", VersionTLS13, []CurveID{X25519, CurveP384}, []CurveID{CurveP521, CurveP384}, true},
		{"TLS 1.2", VersionTLS12, []CurveID{X25519}, []CurveID{CurveP521, X25519}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, server := testPKI().client(), testPKI().server("ecdsa-p256")
			at(test.version, client, server)
			client.CurvePreferences, server.CurvePreferences = test.client, test.server
			var told [][]wire.NamedGroup
			read := func(x wire.Extensions) {
				var groups []wire.NamedGroup
				if found, err := x.Read(wire.ExtSupportedGroups, func(r *wire.Reader) { groups = wire.ReadSupportedGroups(r, nil) }); err != nil {
					t.Error(err)
				} else if found {
					told = append(told, groups)
				}
			}
			server.Trace = traceMessages(func(m wire.Message) {
				switch m := m.(type) {
				case *wire.ServerHello:
					read(m.Extensions)
				case *wire.EncryptedExtensions:
					read(m.Extensions)
				}
			})
			c, s := mustConnect(t, client, server)
			exchange(t, c, s)
			if (len(told) == 1) != test.told || len(told) > 1 {
				t.Fatalf("told of %v", told)
			}
			want := make([]wire.NamedGroup, len(test.server))
			for i, g := range test.server {
				want[i] = wire.NamedGroup(g)
			}
			if test.told && !slices.Equal(told[0], want) {
				t.Errorf("told of %v, want %v", told[0], want)
			}
		})
	}
}
