package main

import (
	"fmt"
	"net"
)

// link opens the TCP connections of a job over loopback: the server end of
// the job listens and says where, the client end is told the port.
type link struct {
	open  func() (net.Conn, error)
	close func()
}

func newLink(j job, announce func(string)) (*link, error) {
	if j.text("role") != "server" {
		address := net.JoinHostPort("127.0.0.1", j.text("port"))
		return &link{func() (net.Conn, error) { return net.Dial("tcp", address) }, func() {}}, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	announce(fmt.Sprintf("port %d", l.Addr().(*net.TCPAddr).Port))
	return &link{l.Accept, func() { l.Close() }}, nil
}
