package scan

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/vitrine-tls/vitrine/starttls"
)

// kindOfDial says what became of an attempt to connect.
func kindOfDial(err error) Kind {
	var name *net.DNSError
	var spoken *starttls.Error
	switch {
	case errors.As(err, &spoken), errors.Is(err, starttls.ErrInjected):
		return StartTLSFailed
	case errors.As(err, &name):
		return Unresolved
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EAGAIN): // that of a unix socket with many waiting
		return Refused
	case timedOut(err):
		return TimedOut
	}
	return Unreachable
}

// kindOfRead says why nothing more can be read or written.
func kindOfRead(err error) Kind {
	switch {
	case timedOut(err):
		return TimedOut
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return Closed
	case errors.Is(err, syscall.EPIPE):
		return Closed
	}
	return Reset
}

func timedOut(err error) bool {
	var wait net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &wait) && wait.Timeout()
}
