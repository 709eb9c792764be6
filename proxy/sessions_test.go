package proxy

import (
	"io"
	"testing"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/tls"
)

// Clients resume after a reload, and at another proxy of the fleet.
func TestSessions(t *testing.T) {
	key := t.TempDir() + "/keys"
	write(t, key, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n")
	for name, sessions := range map[string]config.Sessions{
		"of this process":        {},
		"of a fleet in a folder": {Store: "file:" + t.TempDir(), KeyFile: key},
	} {
		t.Run(name, func(t *testing.T) {
			c := at(config.Listener{TLS: serverTLS(t, "front.test")}, saying(t, nil, "in"))
			c.Sessions = sessions
			p, address := begin(t, c)
			own := onePKI().client("front.test")
			own.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			resumed := func(address string) string {
				conn := dial(t, address, own).(*tls.Conn)
				if got, err := io.ReadAll(conn); string(got) != "in" {
					t.Fatal(string(got), err)
				}
				return conn.State().Resumption
			}
			if got := resumed(address); got != "none" {
				t.Errorf("the first connection: %s", got)
			}
			if err := p.Reload(c); err != nil {
				t.Fatal(err)
			}
			if got := resumed(address); got != "psk" {
				t.Errorf("after a reload: %s", got)
			}
			want := "none"
			if sessions.Store != "" {
				want = "psk"
			}
			_, other := begin(t, c)
			if got := resumed(other); got != want {
				t.Errorf("at another proxy: %s", got)
			}
		})
	}
}
