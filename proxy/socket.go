package proxy

import (
	"net"

	"github.com/vitrine-tls/vitrine/tls"
)

// below is the socket that a connection of ours stands on.
func below(conn net.Conn) net.Conn {
	for {
		over, is := conn.(interface{ NetConn() net.Conn })
		if !is {
			return conn
		}
		conn = over.NetConn()
	}
}

// reset closes conn so that its peer sees that it was cut off, where the system can say so.
func reset(conn net.Conn) {
	socket := below(conn)
	if tcp, is := socket.(*net.TCPConn); is {
		tcp.SetLinger(0)
	}
	socket.Close()
	if over, is := conn.(*tls.Conn); is {
		over.Close() // for its keys; it cannot say anything any more
	}
}

// closeWrite ends our direction of conn.
func closeWrite(conn net.Conn) error {
	if half, is := conn.(interface{ CloseWrite() error }); is {
		return half.CloseWrite()
	}
	return conn.Close()
}
