//go:build darwin || freebsd

package proxy

import (
	"net"

	"golang.org/x/sys/unix"
)

// peerUser is the user of the process at the other end. Its number is not told here: 0.
func peerUser(conn *net.UnixConn) (uid uint32, pid int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, 0, err
	}
	var cred *unix.Xucred
	var failed error
	const solLocal = 0
	err = raw.Control(func(fd uintptr) { cred, failed = unix.GetsockoptXucred(int(fd), solLocal, unix.LOCAL_PEERCRED) })
	if err = firstOf(err, failed); err != nil {
		return 0, 0, err
	}
	return cred.Uid, 0, nil
}
