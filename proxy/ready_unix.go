//go:build unix

package proxy

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

// readiness reads from a socket when something is there, and only then borrows a buffer.
type readiness struct {
	raw   syscall.RawConn       // of a socket
	conn  net.Conn              // what is none: it is read with a buffer in hand
	try   func(fd uintptr) bool // attempt, made once
	rooms *sync.Pool
	room  *[]byte
	n     int
	err   error
}

func (r *readiness) of(conn net.Conn) {
	r.conn, r.try = conn, r.attempt
	switch socket := conn.(type) { // no other type: it may have a Read of its own
	case *net.TCPConn:
		r.raw, _ = socket.SyscallConn()
	case *net.UnixConn:
		r.raw, _ = socket.SyscallConn()
	}
}

// read waits for bytes. The buffer is the caller's to give back; it may be nil where err is not.
func (r *readiness) read(rooms *sync.Pool) (room *[]byte, n int, err error) {
	if r.raw == nil {
		room = rooms.Get().(*[]byte)
		n, err = r.conn.Read(*room)
		return room, n, err
	}
	r.rooms, r.room, r.n, r.err = rooms, nil, 0, nil
	if err := r.raw.Read(r.try); err != nil {
		return nil, 0, err
	}
	room, r.room = r.room, nil
	return room, r.n, r.err
}

func (r *readiness) attempt(fd uintptr) bool {
	room := r.rooms.Get().(*[]byte)
	n, err := syscall.Read(int(fd), *room)
	for err == syscall.EINTR {
		n, err = syscall.Read(int(fd), *room)
	}
	if err == syscall.EAGAIN {
		r.rooms.Put(room)
		return false
	}
	r.room, r.n = room, max(n, 0)
	switch {
	case err != nil:
		r.err = os.NewSyscallError("read", err)
	case n == 0:
		r.err = io.EOF
	}
	return true
}
