package engine

import (
	"bytes"
	"context"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// quicFlights plays a handshake over QUIC and returns what each side sent, a level and a length
// of two bytes before each piece.
func quicFlights(adjust func(c, s *quicSide)) (client, server []byte) {
	note := func(to *[]byte) func(Level, []byte) {
		return func(at Level, data []byte) {
			*to = append(append(*to, byte(at), byte(len(data)>>8), byte(len(data))), data...)
		}
	}
	c, s := connectQUIC(func(c, s *quicSide) {
		c.sees, s.sees = note(&client), note(&server)
		if adjust != nil {
			adjust(c, s)
		}
	})
	runQUIC(c, s)
	return client, server
}

// fuzzQUIC feeds pieces to a side whose peer has no keys: it must never be done, never panic, and
// keep little.
func fuzzQUIC(f *testing.F, role wire.Role) {
	for _, adjust := range []func(c, s *quicSide){nil, func(c, s *quicSide) { s.config.Groups = []wire.NamedGroup{wire.GroupX25519} }} {
		client, server := quicFlights(adjust)
		if role == wire.Client {
			client = server
		}
		f.Add(client, false)
		f.Add(client[:len(client)/2], true)
	}
	f.Add([]byte{0, 0, 4, 24, 0, 0, 1, 3, 0, 0}, false)
	f.Fuzz(func(t *testing.T, script []byte, waits bool) {
		side, server := connectQUIC(nil)
		if role == wire.Server {
			side = server
		}
		if waits {
			side.parameters = nil
		}
		side.config.Rand = zeros{}
		_ = side.Run(context.Background())
		for len(script) >= 3 {
			n := min(int(script[1])<<8|int(script[2]), len(script)-3)
			before := side.err
			err := side.Receive(context.Background(), Level(script[0]), bytes.Clone(script[3:3+n]))
			if before != nil && err != before {
				t.Fatalf("ended with %v, then with %v", before, err)
			}
			script = script[3+n:]
		}
		if side.done || side.QUIC.done {
			t.Fatal("the handshake is complete with a peer that has no keys")
		}
		if len(side.hand) > maxBuffered || len(side.alerts) > 1 {
			t.Fatalf("%d bytes are kept, %d alerts", len(side.hand), len(side.alerts))
		}
	})
}

func FuzzQUICClient(f *testing.F) { fuzzQUIC(f, wire.Client) }
func FuzzQUICServer(f *testing.F) { fuzzQUIC(f, wire.Server) }
