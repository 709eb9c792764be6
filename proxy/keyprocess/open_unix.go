//go:build unix

package keyprocess

import (
	"os"
	"strconv"
	"syscall"
)

// withoutWaiting opens a pipe that nobody writes to, where an open would wait.
const withoutWaiting = syscall.O_NONBLOCK

// keepDescriptors has no program that is started from here on get a descriptor of this process, but for the three
// that all have. Go's own have that; what systemd or a shell has passed has not, such as listening sockets.
func keepDescriptors() {
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		return // without it, only what others pass is not found
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > syscall.Stderr {
			syscall.CloseOnExec(fd)
		}
	}
}
