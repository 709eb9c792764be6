package tls

import (
	"errors"
	"net"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/engine"
	"github.com/vitrine-tls/vitrine/internal/handshake"
)

// Programs ask errors for the types and the words of crypto/tls. These come first
// therefore, and our reason and remedy follow; both are in the chain.

// asStd gives an error crypto/tls's type. complete: the handshake is.
func asStd(e *handshake.Error, complete bool) error {
	alert, received := errors.AsType[AlertError](e.Err)
	bad, unverified := errors.AsType[*CertificateVerificationError](e.Err)
	switch {
	case received && e.Received:
		own := *e
		own.Err = nil // the alert is named already
		return &net.OpError{Op: "remote error", Err: &spoken{alert.Error(), own.Error(), e}}
	case unverified:
		return &CertificateVerificationError{
			UnverifiedCertificates: bad.UnverifiedCertificates, Err: &spoken{bad.Err.Error(), e.Error(), e},
		}
	case complete && !e.Received && e.Alert != 0 && !isTimeout(e):
		// not of a timeout, which is a net.Error of its own
		return &net.OpError{Op: "local error", Err: &spoken{AlertError(e.Alert).Error(), e.Error(), e}}
	}
	return e
}

// headerError is not's counterpart.
func headerError(not *engine.NotTLSError) RecordHeaderError {
	return RecordHeaderError{
		Msg:          "first record does not look like a TLS handshake: " + strings.TrimPrefix(not.Error(), "tls: "),
		RecordHeader: not.Header,
	}
}

// spoken is an error of ours that begins with the words of crypto/tls.
type spoken struct {
	first, own string
	err        *handshake.Error
}

func (s *spoken) Error() string { return s.first + ": " + strings.TrimPrefix(s.own, "tls: ") }
func (s *spoken) Unwrap() error { return s.err }
