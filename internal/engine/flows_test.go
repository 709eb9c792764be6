package engine

import (
	"io"
	"strings"
	"testing"
)

var errEOF = io.EOF

func TestEveryFlow(t *testing.T) {
	for _, f := range flows {
		t.Run(f.name, func(t *testing.T) {
			c, s := f.hosts(t)
			l := connect(c, s).run().done(t).talk(t)
			if peer := l.client.Result().Peer; strings.HasSuffix(f.name, "staple") && (string(peer.OCSP) != "an OCSP response" || len(peer.SCTs) != 1 || string(peer.SCTs[0]) != "a timestamp") {
				t.Errorf("the staples are %q, %q", peer.OCSP, peer.SCTs)
			}
			if err := l.client.CloseNotify(); err != nil {
				t.Fatal(err)
			}
			l.run()
			if l.server.err != io.EOF {
				t.Errorf("the server's stream ended with %v, want io.EOF", l.server.err)
			}
		})
	}
}
