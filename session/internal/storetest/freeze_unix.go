//go:build unix

package storetest

import "syscall"

// Freeze stops the process where it is; Thaw lets it go on.
func (s *Server) Freeze() { s.process.Process.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on.
func (s *Server) Thaw() { s.process.Process.Signal(syscall.SIGCONT) }
