package harden

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// noCore keeps memory out of dumps, and other processes of the same user out of memory.
func noCore() error {
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return fmt.Errorf("cannot turn core dumps off: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("cannot turn debuggers off: %w", err)
	}
	return nil
}

// lockMemory locks what is there and what comes. The limit must be infinite: Go reserves address space far ahead,
// which counts, and a process that meets the limit later ends in the middle of its work.
func lockMemory() error {
	infinite := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
		return err
	}
	if limit.Cur != unix.RLIM_INFINITY {
		if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &infinite); err != nil {
			return fmt.Errorf("the limit of locked memory is %d KiB and must be infinite (systemd: LimitMEMLOCK=infinity; shell: ulimit -l unlimited)", limit.Cur/1024)
		}
	}
	err := unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT)
	if errors.Is(err, unix.EINVAL) { // before Linux 4.4
		err = unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE)
	}
	if err != nil {
		return os.NewSyscallError("mlockall", err)
	}
	return nil
}
