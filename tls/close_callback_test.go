package tls

import (
	"io"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/trace"
)

// A callback may close the connection while a Read is about to look at what has come:
// neither waits for the other.
func TestCloseInACallback(t *testing.T) {
	for _, version := range bothVersions {
		client, server := askable(version)
		var c, s *Conn
		act := func() {}
		server.Trace = &trace.Hooks{Message: func(trace.Message) { act() }}
		c, s = open(t, "TCP", client, server)
		read := make(chan error, 1)
		go func() {
			_, err := s.Read(make([]byte, 1))
			read <- err
		}()
		act = func() {
			act = func() {}
			io.WriteString(c, "x")
			time.Sleep(50 * time.Millisecond) // the Read has seen it
			s.Close()
		}
		if err := ask(t, s); err == nil {
			t.Errorf("%s: the closed connection asks for a certificate", VersionName(version))
		}
		select {
		case <-read:
		case <-time.After(10 * time.Second):
			t.Errorf("%s: Read hangs", VersionName(version))
		}
	}
}
