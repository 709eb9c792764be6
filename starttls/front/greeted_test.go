package front

import (
	"io"
	"net"
	"testing"
)

// A client that waits for a greeting gets one, and then all that the server says.
func TestGreeted(t *testing.T) {
	for protocol, opening := range openings {
		here, there := net.Pipe()
		go func() {
			io.WriteString(there, "250 later\r\n")
			there.Close()
		}()
		got, err := io.ReadAll(Greeted(protocol, here))
		if err != nil || string(got) != opening+"250 later\r\n" {
			t.Errorf("%s: %q, %v", protocol, got, err)
		}
	}
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	if Greeted("postgres", here) != here {
		t.Error("a client that speaks first is greeted")
	}
}
