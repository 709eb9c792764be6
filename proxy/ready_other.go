//go:build !unix

package proxy

import (
	"net"
	"sync"
)

// readiness reads from a connection. This system does not tell when something is there.
type readiness struct{ conn net.Conn }

func (r *readiness) of(conn net.Conn) { r.conn = conn }

// read waits for bytes. The buffer is the caller's to give back.
func (r *readiness) read(rooms *sync.Pool) (room *[]byte, n int, err error) {
	room = rooms.Get().(*[]byte)
	n, err = r.conn.Read(*room)
	return room, n, err
}
