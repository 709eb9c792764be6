package proxy

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/tls"
)

// Each side may end its direction first, and the other one goes on.
func TestHalfClose(t *testing.T) {
	authority := onePKI()
	for name, own := range map[string]*tls.Config{"TLS": authority.client("front.test"), "plain": nil} {
		t.Run(name, func(t *testing.T) {
			listener := config.Listener{}
			if own != nil {
				listener.TLS = serverTLS(t, "front.test")
			}
			// The target ends first, and hears what comes then.
			heard := make(chan string, 1)
			_, address := begin(t, at(listener, config.Target{Addresses: []string{backend(t, nil, func(conn net.Conn) {
				io.WriteString(conn, "greeting")
				closeWrite(conn)
				all, _ := io.ReadAll(conn)
				heard <- string(all)
			})}}))
			conn := dial(t, address, own)
			if got, err := io.ReadAll(conn); string(got) != "greeting" || err != nil {
				t.Errorf("from the target: %q, %v", got, err)
			}
			io.WriteString(conn, "answer")
			closeWrite(conn)
			if got := <-heard; got != "answer" {
				t.Errorf("after the target's end it heard %q", got)
			}
		})
	}
}

// A stream that is cut off is passed on as a reset, not as an orderly end.
func TestCutOffIsNoEnd(t *testing.T) {
	result := make(chan error, 1)
	_, address := begin(t, at(config.Listener{TLS: serverTLS(t, "front.test")}, config.Target{Addresses: []string{backend(t, nil, func(conn net.Conn) {
		_, err := io.ReadAll(conn)
		result <- err
	})}}))
	conn := dial(t, address, onePKI().client("front.test")).(*tls.Conn)
	if _, err := io.WriteString(conn, "a part of"); err != nil {
		t.Fatal(err)
	}
	conn.NetConn().(*net.TCPConn).CloseWrite() // a FIN without close_notify
	if err := <-result; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the target sees %v", err)
	}
	// And the other way round: a target that resets.
	_, address = begin(t, at(config.Listener{TLS: serverTLS(t, "front.test")}, config.Target{Addresses: []string{backend(t, nil, func(conn net.Conn) {
		io.WriteString(conn, "a part of")
		io.ReadFull(conn, make([]byte, 1))
		conn.(*net.TCPConn).SetLinger(0)
	})}}))
	conn = dial(t, address, onePKI().client("front.test")).(*tls.Conn)
	got := make([]byte, 9)
	io.ReadFull(conn, got)
	io.WriteString(conn, "x")
	if _, err := io.ReadAll(conn); err == nil {
		t.Error("the client takes what the target has reset for the whole")
	}
}
