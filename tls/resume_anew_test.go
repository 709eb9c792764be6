package tls

import "testing"

// What is the connection's and not the session's holds as it is agreed on in each
// handshake, also where a session is resumed. RFC 7301 §3.1, RFC 8449 §4.
func TestWhatAResumptionAgreesOnAnew(t *testing.T) {
	for _, kind := range kinds {
		client, server := resumable(kind.version, kind.server)
		server.NextProtos = []string{"a", "b"}
		client.NextProtos = []string{"a"}
		resumption(t, client, server)
		for _, test := range []struct {
			protocols  []string
			own, peers int // limits of the client and of the server
			want       string
		}{
			{[]string{"b"}, 100, 0, "b"},
			{[]string{"b", "a"}, 0, 300, "a"},
			{nil, 200, 300, ""},
			{[]string{"a"}, 16385, 300, "a"},
		} {
			client.NextProtos = test.protocols
			client.Record.SizeLimit, server.Record.SizeLimit = test.own, test.peers
			c, s := mustConnect(t, client, server)
			bringTickets(t, c, s)
			for _, conn := range []*Conn{c, s} {
				if state := conn.ConnectionState(); !state.DidResume || state.NegotiatedProtocol != test.want {
					t.Errorf("%s, %v: resumed %v, agreed on %q", kind.name, test.protocols, state.DidResume, state.NegotiatedProtocol)
				}
			}
			for conn, limit := range map[*Conn]int{c: test.peers, s: test.own} {
				want := 16384
				switch {
				case test.own == 0: // the client has not asked
					want = 0
				case limit > 0 && kind.version == VersionTLS13: // the content's type counts
					want = min(limit-1, 16384)
				case limit > 0:
					want = min(limit, 16384)
				}
				if got := int(conn.engine.Result().SendLimit); got != want {
					t.Errorf("%s, %d and %d: a limit of %d, want %d", kind.name, test.own, test.peers, got, want)
				}
			}
		}
	}
}
