//go:build unix

package storetest

import "syscall"

// Freeze stops the process where it is, and returns when all its threads stand; Thaw lets it
// go on.
func (s *Server) Freeze() {
	s.t.Helper()
	s.process.Process.Signal(syscall.SIGSTOP)
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(s.process.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		s.t.Fatalf("the server does not stop: %#x, %v", status, err)
	}
}

// Thaw lets a frozen process go on.
func (s *Server) Thaw() { s.process.Process.Signal(syscall.SIGCONT) }
