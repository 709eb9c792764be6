//go:build unix

package proxy

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// early returns a connection whose first bytes can be looked at: the socket itself, in which
// they stay.
func early(conn net.Conn) net.Conn { return conn }

// errUnfinished says that a connection began with something, and ended or went on too long
// before that was whole.
var errUnfinished = errors.New("the connection ended before its beginning was whole")

// idlePeeks is how often a socket may report something while no byte more is there: once
// for bytes that were seen already. More often it is the peer's end.
const idlePeeks = 3

// mostPeeked bounds what is looked at in all, for each byte that may be: the system copies the
// bytes anew for each look, and a peer can send them one by one.
const mostPeeked = 128

// peek looks at what conn begins with, at most size bytes, until enough says so. The bytes stay.
func peek(conn net.Conn, size int, enough func(b []byte) bool) error {
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	buf := make([]byte, min(size, 2048))
	seen, idle, all, failed := 0, 0, 0, error(nil)
	err = raw.Read(func(fd uintptr) bool {
		for {
			n, _, err := syscall.Recvfrom(int(fd), buf, syscall.MSG_PEEK)
			switch {
			case err == syscall.EINTR:
				continue
			case err == syscall.EAGAIN:
				return false
			case err != nil:
				failed = err
				return true
			case n == 0:
				failed = io.EOF
				return true
			case enough(buf[:n]):
				return true
			case n == len(buf) && n < size:
				buf = make([]byte, min(size, 4*n))
				continue
			}
			if idle++; n > seen {
				seen, idle = n, 0
			}
			if all += n; idle >= idlePeeks || n >= size || all >= mostPeeked*size {
				failed = errUnfinished
				return true
			}
			return false
		}
	})
	if err == nil {
		err = failed
	}
	return err
}

// discard takes the first n bytes, which peek has shown, into b.
func discard(conn net.Conn, b []byte) error {
	_, err := io.ReadFull(conn, b)
	return err
}
