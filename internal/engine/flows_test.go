package engine

import (
	"io"
	"testing"
)

var errEOF = io.EOF

func TestEveryFlow(t *testing.T) {
	for _, f := range flows {
		t.Run(f.name, func(t *testing.T) {
			c, s := f.hosts(t)
			l := connect(c, s).run().done(t).talk(t)
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
