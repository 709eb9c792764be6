//go:build !linux

package harden

func (s *steps) sandbox(Paths) { s.do("", lacks("landlock", "seccomp")) }

func noCore() error     { return lacks("switch for core dumps that is used here") }
func lockMemory() error { return lacks("memory lock that is used here; keys can be in a process") }
