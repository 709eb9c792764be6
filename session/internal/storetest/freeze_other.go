//go:build !unix

package storetest

// Freeze ends the test: no signal stops a process here.
func (s *Server) Freeze() { s.t.Skip("no signal stops a process on this system") }

// Thaw is never called, as nothing was frozen.
func (s *Server) Thaw() {}
