package attacks

import (
	"fmt"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// A client without a key must not learn from a server which identities there are: one
// that is not known is answered as a wrong key for one that is. RFC 4279 §2.
func TestPSKIdentitiesAreNotToldApart(t *testing.T) {
	suites(t, func(s *suite.Suite) bool { return s.KeyExchange.PSK() && s.Cipher.Name == "AES-128-CBC" }, func(t *testing.T, s *suite.Suite, v wire.Version) {
		want := ""
		for _, identity := range []string{pskIdentity, "nobody", "", string(make([]byte, 1<<10))} {
			client, server := configs(s, v)
			client.PSK.Client = func(string) (string, []byte, error) { return identity, []byte("a guess at the key"), nil }
			var alerts []wire.AlertCode
			server.Trace = &trace.Hooks{Alert: func(a trace.Alert) {
				if a.Dir == trace.Sent {
					alerts = append(alerts, a.Code)
				}
			}}
			e := connect(t, client, server, nil)
			if e.serverErr == nil {
				t.Fatal("a wrong key is accepted")
			}
			got := fmt.Sprint(alerts, e.serverErr)
			for _, rec := range e.records(wire.Server) {
				got += fmt.Sprintf(" %v of %d bytes", typeOf(rec), len(rec))
			}
			if want == "" {
				want = got
			}
			if got != want {
				t.Errorf("%.20q: %s; others: %s", identity, got, want)
			}
		}
	})
}
