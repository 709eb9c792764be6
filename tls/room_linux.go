package tls

import (
	"syscall"
	"unsafe"
)

// socketRoom is how many more bytes a socket takes at least, as a rule; ok is false where
// it does not tell. The kernel's bound includes what it needs beside the bytes, which for
// bytes that wait in large pieces is some hundredths. See tcp(7), unix(7).
func socketRoom(fd uintptr) (room int, ok bool) {
	size, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF)
	if err != nil {
		return 0, false
	}
	var waiting int32
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&waiting))); errno != 0 {
		return 0, false
	}
	return max(0, size-int(waiting)-int(waiting)/16), true
}
