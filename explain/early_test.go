package explain

import (
	"context"
	"io"
	"testing"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
)

// A connection with early data is whole on both sides: its secrets, its keys, its records
// and EndOfEarlyData are computed again, and its choices say why. RFC 8446 §4.2.10.
func TestLiveEarlyData(t *testing.T) {
	for name, refused := range map[string]bool{"accepted": false, "refused": true} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			p.server.EarlyData = tls.EarlyData{MaxBytes: 1000, Protocols: []string{""}, Replay: session.SingleUse(session.NewMemory(1 << 20))}
			first, _ := p.connect(t, nil)
			previous := first.Connection(About{})
			if refused {
				p.server.EarlyData.Protocols = []string{"other"}
				p.server.NextProtos = []string{"other"}
			}
			p.serve = func(c *tls.Conn) error {
				early, err := c.AcceptEarly(context.Background())
				if early == nil {
					return err
				}
				_, err = io.Copy(early, early)
				return err
			}
			p.shake = func(c *tls.Conn) error {
				taken, err := c.HandshakeEarly(context.Background(), []byte("early"))
				if taken == refused {
					t.Errorf("taken: %v", taken)
				}
				if taken {
					_, err = io.ReadFull(c, make([]byte, 5))
				}
				return err
			}
			client, server := p.connect(t, nil)
			for _, side := range []*Collector{client, server} {
				account := side.Connection(About{Previous: previous})
				account.mustAgree(t)
				account.mustBeWhole(t)
				seen := map[string]bool{}
				for _, e := range account.Events {
					switch {
					case e.Message != nil:
						seen[e.Message.Name] = true
					case e.Choice != nil && e.Choice.What == "early data":
						seen[e.Choice.Picked] = true
					case e.Secret != nil:
						seen[e.Secret.Name] = true
					}
				}
				if !seen[name] || seen["EndOfEarlyData"] == refused || !refused && !seen["client_early_traffic_secret"] {
					t.Errorf("seen from the %s: %v", account.Side, seen)
				}
				render(t, account, look{})
			}
		})
	}
}
