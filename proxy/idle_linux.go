package proxy

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// tells reports that moved sees each byte that the peer of conn takes.
func tells(conn net.Conn) bool {
	_, is := below(conn).(*net.TCPConn)
	return is
}

// moved is a number that changes whenever the peer of a socket takes something, or sends it.
// Of a unix socket it is what the peer has not yet taken.
func moved(socket net.Conn) (n uint64) {
	over, is := socket.(syscall.Conn)
	if !is {
		return 0
	}
	raw, err := over.SyscallConn()
	if err != nil {
		return 0
	}
	_, tcp := socket.(*net.TCPConn)
	_ = raw.Control(func(fd uintptr) { // a socket that was closed moves nothing
		if !tcp {
			waiting, _ := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
			n = uint64(waiting)
			return
		}
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			n = info.Bytes_acked + info.Bytes_received
		}
	})
	return n
}
