package main

import (
	"fmt"
	"syscall"
)

// needFiles raises how many files this process and its children may have open.
func needFiles(n uint64) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Cur >= n {
		return nil
	}
	wanted := syscall.Rlimit{Cur: n, Max: max(n, limit.Max)}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &wanted); err != nil {
		return fmt.Errorf("%d open files are needed and %d are the most allowed (%w); raise it with ulimit -n, as root", n, limit.Max, err)
	}
	return nil
}
