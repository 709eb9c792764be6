//go:build unix

package proxy

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
)

// With few descriptors, connections for which there is none are refused: none waits in the queue, and
// those that are open are served.
func TestConnectionsBeyondTheDescriptors(t *testing.T) {
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	few := was
	few.Cur = 128 + 2*3 // what is kept for other things, and three connections
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was)
	refused := make(chan event.Reason, 10)
	_, address := begin(t, at(config.Listener{TLS: serverTLS(t, "front.test")}, config.Target{Addresses: []string{backend(t, nil, echo)}}),
		event.Hooks{Refused: func(_ string, _ net.Addr, why event.Reason, _ error) { refused <- why }})
	var open []net.Conn
	for range 3 {
		conn := dial(t, address, onePKI().client("front.test"))
		io.WriteString(conn, "x")
		if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		open = append(open, conn)
	}
	if beyond, err := net.Dial("tcp", address); err == nil {
		if n, err := io.Copy(io.Discard, beyond); n > 0 {
			t.Errorf("%d bytes, %v", n, err)
		}
		beyond.Close()
	} else if !errors.Is(err, syscall.ECONNRESET) { // it may come before Dial is back
		t.Error(err)
	}
	if why := <-refused; why != event.TooMany {
		t.Error(why)
	}
	if room, wanted := (config.Limits{Connections: 7}).Room(); room != 3 || wanted != 7 {
		t.Errorf("%d of %d", room, wanted)
	}
	if err := roundTrip(open[0], []byte("more")); err != nil {
		t.Error(err)
	}
}
