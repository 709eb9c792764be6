//go:build unix

package files

import (
	"os"
	"syscall"
)

// giveToOwner gives a file that this process has made to the owner of its folder, if this is root: a
// process that becomes another user later must read what it has written before, and so must others.
func giveToOwner(f *os.File, folder string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(folder)
	if err != nil {
		return err
	}
	if owner, is := info.Sys().(*syscall.Stat_t); is && owner.Uid != 0 {
		return f.Chown(int(owner.Uid), int(owner.Gid))
	}
	return nil
}
