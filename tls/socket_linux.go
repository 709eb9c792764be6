//go:build linux && !386 && !s390x && !race

package tls

import (
	"syscall"
	"unsafe"

	"github.com/vitrine-tls/vitrine/internal/engine"
)

// transfers are the system calls by which one direction of a socket moves its bytes. They
// are those for sockets, which take the kernel less time than write and read, and they do
// not wait. A short one is over before the scheduler could give the processor to another
// goroutine. So it is not told, which costs as much as a tenth of the call. In a process
// that was just woken it would also start the scheduler's watch, which is a thread that
// then wakes 50 times in a millisecond.
//
// But without the watch nobody interrupts a goroutine that never waits, and others would
// wait for it. So the scheduler is told of some of them.
//
// The race detector follows write and read from one goroutine to another, and 32-bit x86
// and s390x have one system call for all of these: see socket_unix.go.
type transfers struct{ count uint8 }

const (
	// brief is how many bytes may be copied while the scheduler does not know.
	brief = engine.Whole
	// silent is how many calls in a row it may not be told of: some 200 µs.
	silent = 63

	notWaiting = syscall.MSG_DONTWAIT | syscall.MSG_NOSIGNAL
)

// write sends the first of b, which is not empty. It returns EAGAIN where the socket takes
// nothing for now.
func (t *transfers) write(fd uintptr, b []byte) (n int, err error) {
	return t.move(syscall.SYS_SENDTO, fd, b)
}

// read receives into b, which is not empty; 0 bytes are the end of the stream. It returns
// EAGAIN where nothing is there.
func (t *transfers) read(fd uintptr, b []byte) (n int, err error) {
	return t.move(syscall.SYS_RECVFROM, fd, b)
}

func (t *transfers) move(call, fd uintptr, b []byte) (int, error) {
	var n uintptr
	var errno syscall.Errno
	if t.quiet(len(b)) {
		n, _, errno = syscall.RawSyscall6(call, fd, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), notWaiting, 0, 0)
	} else {
		n, _, errno = syscall.Syscall6(call, fd, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), notWaiting, 0, 0)
	}
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// restart says that a call had to wait: so the scheduler has run.
func (t *transfers) restart() { t.count = 0 }

// quiet decides on whether the scheduler is told of a call that moves up to n bytes.
func (t *transfers) quiet(n int) bool {
	if n > brief || t.count == silent {
		t.count = 0
		return false
	}
	t.count++
	return true
}
