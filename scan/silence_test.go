package scan

import (
	"io"
	"net"
	"testing"
	"time"
)

// A server with which no version comes about was not looked at: its report says so, and not
// that nothing is wrong.
func TestAServerThatTakesNoHelloIsNotAllRight(t *testing.T) {
	for name, c := range map[string]struct {
		serve func(net.Conn)
		want  string
	}{
		"closes":    {hello, "it closes the connection"},
		"resets":    {func(c net.Conn) { hello(c); c.(*net.TCPConn).SetLinger(0) }, "it resets the connection, or something on the way does"},
		"is silent": {func(c net.Conn) { io.Copy(io.Discard, c) }, "no answer came in time"},
		"sends an alert": {func(c net.Conn) {
			hello(c)
			c.Write([]byte{21, 3, 1, 0, 2, 2, 80})
			c.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, c)
		}, "alert internal_error"},
		"breaks rules": {func(c net.Conn) {
			hello(c)
			c.Write([]byte{20, 3, 3, 0, 1, 1})
			c.Write([]byte{22, 3, 3, 0, 4, 11, 0, 0, 0})
		}, "what it answers breaks the rules of TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &Prober{Timeout: 200 * time.Millisecond}
			if c.want != "no answer came in time" {
				p.Timeout = 5 * time.Second
			}
			r, err := p.Scan(t.Context(), serve(t, c.serve), Options{})
			if want := "the server takes no version of TLS that it was offered: " + c.want; err != nil || r.Failure != want {
				t.Errorf("%v, %q, want %q", err, r.Failure, want)
			}
			if len(r.Findings) > 0 || len(r.Features) > 0 || len(r.Versions) > 0 {
				t.Errorf("and yet it says %+v, %+v, %+v", r.Findings, r.Features, r.Versions)
			}
		})
	}
}
