//go:build linux && !386 && !s390x && !race && !msan && !asan

package tls

import (
	"math/rand/v2"
	"syscall"
	"unsafe"

	"github.com/vitrine-tls/vitrine/internal/engine"
)

// A socket's bytes are moved by the system calls for sockets, which take the kernel less
// time than write and read, and which do not wait. A short one is over before the scheduler
// could give the processor to another goroutine. So it is not told, which costs as much as a
// tenth of the call. In a process that was just woken it would also start the scheduler's
// watch, which is a thread that then wakes 50 times in a millisecond.
//
// But without the watch nobody interrupts a goroutine that never waits, and others would
// wait for it. So the scheduler is told of some of them, by chance: one goroutine may serve
// many connections. See ADR 22.
//
// The race detector and its like follow write and read from one goroutine to another, and
// 32-bit x86 and s390x have one system call for all of these: see socket_unix.go.
const (
	// brief is how many bytes may be copied while the scheduler does not know.
	brief = engine.Whole
	// told is of how many short calls the scheduler is told one: in some 200 µs.
	told = 64

	notWaiting = syscall.MSG_DONTWAIT | syscall.MSG_NOSIGNAL
)

// writeSocket sends the first of b, which is not empty. It returns EAGAIN where the socket
// takes nothing for now.
func writeSocket(fd uintptr, b []byte) (n int, err error) { return move(syscall.SYS_SENDTO, fd, b) }

// readSocket receives into b, which is not empty; 0 bytes are the end of the stream. It
// returns EAGAIN where nothing is there.
func readSocket(fd uintptr, b []byte) (n int, err error) { return move(syscall.SYS_RECVFROM, fd, b) }

func move(call, fd uintptr, b []byte) (int, error) {
	var n uintptr
	var errno syscall.Errno
	if quiet(len(b)) {
		n, _, errno = syscall.RawSyscall6(call, fd, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), notWaiting, 0, 0)
	} else {
		n, _, errno = syscall.Syscall6(call, fd, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), notWaiting, 0, 0)
	}
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// quiet decides on whether the scheduler is not told of a call that moves up to n bytes.
func quiet(n int) bool { return n <= brief && rand.Uint32()%told != 0 }
