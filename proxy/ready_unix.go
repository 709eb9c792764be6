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
	raw   syscall.RawConn
	try   func(fd uintptr) bool // attempt, made once
	rooms *sync.Pool
	room  *[]byte
	n     int
	err   error
}

func (r *readiness) of(conn net.Conn) {
	r.raw, r.err = conn.(syscall.Conn).SyscallConn()
	r.try = r.attempt
}

// read waits for bytes. The buffer is the caller's to give back; it may be nil where err is not.
func (r *readiness) read(rooms *sync.Pool) (room *[]byte, n int, err error) {
	if r.raw == nil {
		return nil, 0, r.err
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
