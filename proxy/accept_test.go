package proxy

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/vitrine-tls/vitrine/proxy/event"
)

// full is a listener of a process that has no descriptors left, until it is closed.
type full struct {
	net.Listener
	errs []error
}

func (f *full) Accept() (net.Conn, error) {
	err := f.errs[0]
	f.errs = f.errs[1:]
	return nil, &net.OpError{Op: "accept", Err: err}
}

// A listener that gets errors in place of connections says so, and goes on.
func TestErrorsOfAcceptAreTold(t *testing.T) {
	var told []error
	p := &Proxy{stop: make(chan struct{}), hooks: event.Hooks{AcceptFailed: func(listener string, err error) {
		if listener != "in" {
			t.Errorf("it is told of %q", listener)
		}
		told = append(told, err)
	}}}
	(&socket{p: p, name: "in"}).accept(&full{errs: []error{syscall.EMFILE, syscall.ENFILE, net.ErrClosed}})
	if len(told) != 2 || !errors.Is(told[0], syscall.EMFILE) || !errors.Is(told[1], syscall.ENFILE) {
		t.Errorf("told: %v", told)
	}
}
