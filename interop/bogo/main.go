//go:debug tlssha1=1

// Command bogo is vitrine under BoringSSL's BoGo: the shim that its test runner
// starts for each test, and that plays one side of a connection by the public
// API, as the runner's flags say. docs/conformance.md tells how to run it.
package main

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
)

func main() {
	initial, resume, err := parse(os.Args[1:])
	if err == nil {
		err = run(initial, resume)
	}
	if err != nil {
		report(err)
		os.Exit(1)
	}
}

// report prints an error in words that the runner's map of errors can match:
// which alert, who sent it, and the rule; and then all that there is to say.
func report(err error) {
	var h *tls.HandshakeError
	if errors.As(err, &h) {
		who := "sent"
		switch {
		case h.Alert == 0:
			who = "no alert"
		case h.Received:
			who = "received"
		}
		fmt.Fprintf(os.Stderr, "vitrine: %s %v: %s\n", who, h.Alert, h.Rule)
	}
	fmt.Fprintf(os.Stderr, "error: %v\n", err)
}

func run(initial, resume *options) error {
	s := &shared{ticketKeys: make([][32]byte, 1), store: session.NewMemory(1 << 20), clock: time.Now()}
	rand.Read(s.ticketKeys[0][:])
	var offer *tls.ClientSessionState
	for i := range initial.resumeCount + 1 {
		o := initial
		if i > 0 {
			o = resume
			if !o.server && offer == nil {
				return errors.New("there is no session to offer")
			}
		}
		w := new(watch)
		if err := connect(o, s, w, offer, i > 0); err != nil {
			return fmt.Errorf("connection %d: %w", i+1, err)
		}
		offer = w.saved
		s.clock = s.clock.Add(time.Duration(o.resumptionDelay) * time.Second)
	}
	return nil
}

// connect plays one connection.
func connect(o *options, s *shared, w *watch, offer *tls.ClientSessionState, resume bool) error {
	config, err := o.config(s, w, offer)
	if err != nil {
		return err
	}
	host := "127.0.0.1"
	if o.ipv6 {
		host = "::1"
	}
	socket, err := net.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(o.port)))
	if err != nil {
		return err
	}
	defer drain(socket.(*net.TCPConn))
	if _, err := socket.Write(binary.LittleEndian.AppendUint64(nil, o.shimID)); err != nil {
		return err
	}
	side := tls.Client
	if o.server {
		side = tls.Server
	}
	var transport net.Conn = socket
	if o.exporterBetweenReads {
		transport = &pausing{Conn: socket, watch: w}
	}
	var conn endpoint
	if o.quic {
		conn = newMockQUIC(socket, config, o)
	} else {
		conn = side(transport, config)
	}
	if err := o.exchange(conn, w, resume); err != nil {
		return err
	}
	return o.end(conn, w)
}

// drain ends our half and waits for the peer's, so that what we have sent is not
// lost by a reset.
func drain(socket *net.TCPConn) {
	socket.CloseWrite()
	socket.SetReadDeadline(time.Now().Add(20 * time.Second))
	io.Copy(io.Discard, socket)
	socket.Close()
}
