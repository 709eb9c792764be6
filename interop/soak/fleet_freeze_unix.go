//go:build unix

package main

import (
	"fmt"
	"syscall"
)

func (s *storeServer) freeze() error {
	if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	var status syscall.WaitStatus
	_, err := syscall.Wait4(s.cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
	if err == nil && !status.Stopped() {
		err = fmt.Errorf("the store does not stand still: %#x", status)
	}
	return err
}

func (s *storeServer) thaw() error { return s.cmd.Process.Signal(syscall.SIGCONT) }
