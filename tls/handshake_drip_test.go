package tls

import (
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// The deadline of a handshake is one for all of it: a peer that sends a byte now and
// then does not put it off, neither on a server nor on a client.
func TestBytesDoNotPutOffTheDeadline(t *testing.T) {
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	for name, side := range map[string]func(net.Conn) *Conn{
		"server": func(c net.Conn) *Conn { return Server(c, server) },
		"client": func(c net.Conn) *Conn { return Client(c, client) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				go func() { // whatever it has to say
					for b := make([]byte, 4096); ; {
						if _, err := far.Read(b); err != nil {
							return
						}
					}
				}()
				go func() {
					far.Write([]byte{22, 3, 1, 0, 200}) // a record of 200 bytes
					for range 200 {
						time.Sleep(time.Second)
						if _, err := far.Write([]byte{0}); err != nil {
							return
						}
					}
				}()
				start := time.Now()
				err := side(near).Handshake()
				if took := time.Since(start); !errors.Is(err, os.ErrDeadlineExceeded) || took != handshakeTimeout {
					t.Errorf("after %v: %v", took, err)
				}
				near.Close()
				far.Close()
				time.Sleep(time.Second) // who drips sees that it is over
			})
		})
	}
}
