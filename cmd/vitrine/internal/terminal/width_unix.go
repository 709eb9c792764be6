//go:build unix

package terminal

import "golang.org/x/sys/unix"

func columnsOf(fd uintptr) int {
	size, err := unix.IoctlGetWinsize(int(fd), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}
