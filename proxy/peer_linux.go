package proxy

import (
	"net"

	"golang.org/x/sys/unix"
)

// peerUser is the user of the process at the other end, and its number.
func peerUser(conn *net.UnixConn) (uid uint32, pid int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, 0, err
	}
	var cred *unix.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) { cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if err = firstOf(err, failed); err != nil {
		return 0, 0, err
	}
	return cred.Uid, int(cred.Pid), nil
}
