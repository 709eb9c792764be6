package engine

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// FuzzEarlyRecords has a client that holds the keys of early data send whatever it likes under them, by a
// script of records: type, length, content. However that goes, what the server gives out as early data is
// what came as application data, in order, and the handshake is not complete.
func FuzzEarlyRecords(f *testing.F) {
	hosts := hostsEarly(func(c, s *host) {})
	data, end := []byte{23, 2, 'h', 'i'}, []byte{22, 4, byte(wire.TypeEndOfEarlyData), 0, 0, 0}
	for _, script := range [][]byte{
		{}, data, append(data, data...), {23, 0, 23, 0}, end, append(end, data...), append(data, end...),
		{22, 2, 5, 0, 22, 2, 0, 0}, {22, 2, 5, 0, 23, 1, 'x'}, {22, 4, 20, 0, 0, 0}, {21, 2, 1, 0}, {21, 2, 2, 40}, {20, 1, 1}, {24, 1, 0}, {22, 5, 5, 0, 0, 1, 0},
	} {
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		script = script[:min(len(script), 400)]
		c, s := hosts(t)
		client, server := newSide(wire.Client, c), newSide(wire.Server, s)
		client.step()
		server.feed(client.take(), nil)
		sent := "early"
		if string(server.early) != sent {
			t.Fatalf("the server has %q: %v", server.early, server.err)
		}
		for len(script) >= 2 && server.err == nil {
			typ, content := wire.ContentType(script[0]), script[2:min(2+int(script[1]), len(script))]
			script = script[2+len(content):]
			if typ == wire.ContentApplicationData {
				sent += string(content)
			}
			client.inject(t, typ, content...)
			server.feed(client.take(), nil)
		}
		if got := string(server.early); !strings.HasPrefix(sent, got) || server.err == nil && got != sent {
			t.Fatalf("the server gives out %q of %q: %v", got, sent, server.err)
		}
		if server.Done() || len(server.received) > 0 {
			t.Fatalf("the handshake is complete: %v, and %q was received", server.Done(), server.received)
		}
		if n := len(server.fatal()); n > 1 {
			t.Fatalf("%d alerts", n)
		}
	})
}
