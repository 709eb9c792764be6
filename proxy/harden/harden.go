package harden

import (
	"fmt"
	"os"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

// What a configuration says of the sandbox and of keys.
const (
	sandboxAuto    = "auto"
	sandboxRequire = "require"
	sandboxOff     = "off"

	keysMemory  = "memory"
	keysLocked  = "locked"
	keysProcess = "process"
)

var confined atomic.Bool

// Confined reports that landlock holds this process to the Paths of [Apply]: then a new configuration
// can have no more than that, as [Paths.Beyond] tells.
func Confined() bool { return confined.Load() }

// Apply gives away for good what the process does not need. It is called once, when listeners and
// files are open, and after [Prepare]; p must have been made before, by [Of]. The report has a sentence for each thing that
// was done and for each that the system lacks. On an error the process may have given away a part, and
// should end.
func Apply(c config.Process, p Paths) (report []string, err error) {
	required := c.Sandbox == sandboxRequire
	switch c.Sandbox {
	case "", sandboxAuto, sandboxRequire, sandboxOff:
	default:
		return nil, fmt.Errorf("sandbox %q is unknown; it is auto, require or off", c.Sandbox)
	}
	s := &steps{required: required}
	switch c.Keys {
	case "", keysMemory, keysProcess:
	case keysLocked:
		if err := lockMemory(); err != nil {
			return nil, fmt.Errorf("keys in locked memory: %w", err)
		}
		s.did("memory is locked: nothing of it reaches swap")
	default:
		return nil, fmt.Errorf("keys %q is unknown; it is memory, locked or process", c.Keys)
	}
	if c.User != "" || c.Group != "" {
		if err := become(c); err != nil {
			return s.report, err
		}
		s.did("the process is user " + quoteOr(c.User, "as before") + ", group " + quoteOr(c.Group, "of that user"))
		if c.Keys != keysProcess {
			s.unreadable(p.Read)
		}
	} else if os.Geteuid() == 0 && !p.Offline {
		s.did("the process stays root: set user to give that up")
	} else if os.Geteuid() == 0 {
		s.did("the process stays root, as it reads the keys, and it can make no socket")
	}
	if c.Sandbox != sandboxOff {
		s.do("core dumps and debuggers are off", noCore())
		s.sandbox(p)
	}
	return s.report, s.err
}

func quoteOr(name, other string) string {
	if name == "" {
		return other
	}
	return fmt.Sprintf("%q", name)
}

// steps gathers what was done, and the first thing that was required and is missing.
type steps struct {
	required bool
	report   []string
	err      error
}

func (s *steps) did(what string) { s.report = append(s.report, what) }

// do notes a step that succeeded, or what it lacked.
func (s *steps) do(what string, err error) {
	if err == nil {
		s.did(what)
		return
	}
	s.did("missing: " + err.Error())
	if s.required && s.err == nil {
		s.err = fmt.Errorf("the sandbox is required and is not whole: %w", err)
	}
}

// unreadable tells of files that a reload will not be able to read.
func (s *steps) unreadable(files []string) {
	for _, file := range files {
		if f, err := os.OpenFile(file, os.O_RDONLY|withoutWaiting, 0); err == nil {
			f.Close()
		} else if os.IsPermission(err) && !isSocket(file) {
			s.did(fmt.Sprintf("%q cannot be read any more, so a change of it is not taken at a reload: let the group of the user read it, or keep keys in a process", file))
		}
	}
}

func isSocket(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode()&os.ModeSocket != 0
}
