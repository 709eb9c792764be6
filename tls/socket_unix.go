//go:build unix && (!linux || 386 || s390x || race || msan || asan)

package tls

import "syscall"

// writeSocket sends the first of b, which is not empty. It returns EAGAIN where the socket
// takes nothing for now.
func writeSocket(fd uintptr, b []byte) (n int, err error) { return syscall.Write(int(fd), b) }

// readSocket receives into b, which is not empty; 0 bytes are the end of the stream. It
// returns EAGAIN where nothing is there.
func readSocket(fd uintptr, b []byte) (n int, err error) { return syscall.Read(int(fd), b) }
