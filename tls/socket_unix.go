//go:build unix && (!linux || 386 || s390x || race)

package tls

import "syscall"

// transfers are the system calls by which one direction of a socket moves its bytes.
type transfers struct{}

// restart says that a call had to wait.
func (transfers) restart() {}

// write sends the first of b, which is not empty. It returns EAGAIN where the socket takes
// nothing for now.
func (transfers) write(fd uintptr, b []byte) (n int, err error) { return syscall.Write(int(fd), b) }

// read receives into b, which is not empty; 0 bytes are the end of the stream. It returns
// EAGAIN where nothing is there.
func (transfers) read(fd uintptr, b []byte) (n int, err error) { return syscall.Read(int(fd), b) }
