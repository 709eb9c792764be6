package harden

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/landlock-lsm/go-landlock/landlock"
	landlocksys "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// The versions of landlock's interface that bring what we use.
const (
	abiFiles  = 1
	abiRename = 2 // from one folder to another, Linux 5.19
	abiPorts  = 4 // Linux 6.7
)

func (s *steps) sandbox(p Paths) {
	abi, err := landlocksys.LandlockGetABIVersion()
	switch {
	case err != nil || abi < abiFiles:
		s.do("", errors.New("this kernel has no landlock, or it is not among the security modules that it was started with"))
		s.do("no program that is started gains rights", noNewPrivileges())
	default:
		s.do("landlock: only the files that are needed can be reached", s.restrict(p, abi))
		if abi < abiPorts {
			s.do("", fmt.Errorf("landlock of this kernel (version %d) does not restrict TCP ports; version %d does", abi, abiPorts))
		}
	}
	s.do("seccomp: only the system calls that are needed are answered", filterCalls(p.Offline))
}

// noNewPrivileges is part of landlock's and seccomp's calls too, for all threads.
func noNewPrivileges() error { return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }

// restrict confines the process to p. Version 7 is the newest of which we know by tests that all of a
// proxy still works.
func (s *steps) restrict(p Paths, abi int) error {
	c := landlock.V7
	if abstractSockets() {
		c.Scoped &^= landlocksys.ScopeAbstractUnixSocket
	}
	if p.AnyConnect {
		c.HandledAccessNet &^= landlocksys.AccessNetConnectTCP
	}
	rules := []landlock.Rule{}
	for _, path := range append(p.folders(), present(system)...) {
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			rules = append(rules, landlock.PathAccess(landlocksys.AccessFSReadFile|landlocksys.AccessFSReadDir, path).IgnoreIfMissing())
		} else {
			rules = append(rules, landlock.PathAccess(landlocksys.AccessFSReadFile, path).IgnoreIfMissing())
		}
	}
	rules = append(rules, landlock.RWFiles("/dev/null").IgnoreIfMissing())
	for _, folder := range p.Write {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			s.did(fmt.Sprintf("nothing will be written below %q: %v", folder, err))
			continue
		}
		rule := landlock.RWDirs(folder)
		if abi >= abiRename {
			rule = rule.WithRefer()
		}
		rules = append(rules, rule)
	}
	if !p.AnyConnect {
		for _, port := range p.Connect {
			rules = append(rules, landlock.ConnectTCP(port))
		}
	}
	for _, port := range p.Bind {
		rules = append(rules, landlock.BindTCP(port))
	}
	if err := c.BestEffort().Restrict(rules...); err != nil {
		return fmt.Errorf("landlock refused the rules: %w", err)
	}
	confined.Store(true)
	return nil
}

// abstractSockets reports that systemd listens for our state on a socket without a file.
func abstractSockets() bool { return strings.HasPrefix(os.Getenv("NOTIFY_SOCKET"), "@") }

// present are those of paths that are there, where links lead.
func present(paths []string) []string {
	var list []string
	for _, path := range paths {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			list = append(list, real)
		}
	}
	return list
}
