package config

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// cannotLock says why this process may not hold its memory in place, and what to do; empty where it may.
// The limit must be infinite, as package harden says.
func cannotLock() string {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil || limit.Cur == unix.RLIM_INFINITY {
		return ""
	}
	// It may be raised, which only a try can tell.
	if unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}) == nil {
		_ = unix.Setrlimit(unix.RLIMIT_MEMLOCK, &limit) // to lower one is allowed
		return ""
	}
	return fmt.Sprintf("this process may lock %d KiB of memory, and all of it is to be locked; raise the limit (LimitMEMLOCK=infinity of systemd, ulimit -l unlimited of a shell), or write keys: process", limit.Cur/1024)
}
