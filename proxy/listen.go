package proxy

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A socket is what one address of the configuration listens on. It stays through reloads that
// keep the address: only its door changes.
type socket struct {
	p         *Proxy
	name      string // the address as the configuration writes it
	listeners []net.Listener
	door      atomic.Pointer[door]
	started   bool
	closed    atomic.Bool
	accepting sync.WaitGroup
}

// inherited are listeners that another process opened, by name.
type inherited map[string][]net.Listener

// take removes what is there for an address.
func (from inherited) take(name string) []net.Listener {
	l := from[name]
	delete(from, name)
	return l
}

func (from inherited) close() {
	for _, list := range from {
		for _, l := range list {
			l.Close()
		}
	}
}

// openAll opens a socket for each address of next that has none, and has the doors of next
// serve at once what is new. On an error what was new is closed again.
func (p *Proxy) openAll(next *plan, from inherited) error {
	fresh := make(map[string]*socket)
	for _, d := range next.doors {
		for _, name := range d.config.Listen {
			if p.sockets[name] != nil {
				continue
			}
			listeners, err := listen(name, from)
			if err != nil {
				closeSockets(fresh)
				return fmt.Errorf("proxy: %s cannot be listened on: %w", name, err)
			}
			s := &socket{p: p, name: name, listeners: listeners}
			s.door.Store(d)
			fresh[name] = s
		}
	}
	for name, s := range fresh {
		p.sockets[name] = s
	}
	return nil
}

func listen(name string, from inherited) ([]net.Listener, error) {
	if list := from.take(name); list != nil {
		return list, nil
	}
	if unit, is := strings.CutPrefix(name, "systemd:"); is {
		return nil, fmt.Errorf("systemd has passed no socket with FileDescriptorName=%s to this process", unit)
	}
	path, is := strings.CutPrefix(name, "unix:")
	if !is {
		l, err := net.Listen("tcp", name)
		return []net.Listener{l}, plainError(err)
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	return []net.Listener{l}, plainError(err)
}

// plainError is err without the operation and the address, which the caller names.
func plainError(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// removeStale removes a unix socket on which nobody listens any more.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&os.ModeSocket == 0 {
		return nil // Listen says what is wrong
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		conn.Close()
		return errors.New("another process listens on it")
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return os.Remove(path)
	}
	return nil
}

func closeSockets(sockets map[string]*socket) {
	for _, s := range sockets {
		s.close()
	}
}

func (s *socket) close() {
	s.closed.Store(true)
	for _, l := range s.listeners {
		l.Close()
	}
}

// acceptPatience bounds the wait for a hook that is told of a connection turned away, and that
// may itself stop the proxy.
const acceptPatience = 2 * time.Second

// waitForAccepts returns once what closed sockets accepted last is among the links.
func waitForAccepts(sockets map[string]*socket) {
	done := make(chan struct{})
	go func() {
		for _, s := range sockets {
			s.accepting.Wait()
		}
		close(done)
	}()
	timer := time.NewTimer(acceptPatience)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}
