package tls

import (
	"context"
	stdtls "crypto/tls"
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

// errQUIC wraps an alert because QUIC implementations look for one to close
// the connection with.
var errQUIC = fmt.Errorf("vitrine: QUIC is not implemented yet; use crypto/tls for QUIC connections (%w)",
	AlertError(wire.AlertInternalError))

type (
	// QUICEncryptionLevel is a level at which QUIC sends handshake messages.
	QUICEncryptionLevel = stdtls.QUICEncryptionLevel
	// QUICEventKind says what a [QUICEvent] is about.
	QUICEventKind = stdtls.QUICEventKind
	// QUICSessionTicketOptions are those of [QUICConn.SendSessionTicket].
	QUICSessionTicketOptions = stdtls.QUICSessionTicketOptions
)

// Encryption levels. RFC 9001 §4.
const (
	QUICEncryptionLevelInitial     = stdtls.QUICEncryptionLevelInitial
	QUICEncryptionLevelEarly       = stdtls.QUICEncryptionLevelEarly
	QUICEncryptionLevelHandshake   = stdtls.QUICEncryptionLevelHandshake
	QUICEncryptionLevelApplication = stdtls.QUICEncryptionLevelApplication
)

// Kinds of [QUICEvent].
const (
	QUICNoEvent                     = stdtls.QUICNoEvent
	QUICSetReadSecret               = stdtls.QUICSetReadSecret
	QUICSetWriteSecret              = stdtls.QUICSetWriteSecret
	QUICWriteData                   = stdtls.QUICWriteData
	QUICTransportParameters         = stdtls.QUICTransportParameters
	QUICTransportParametersRequired = stdtls.QUICTransportParametersRequired
	QUICRejectedEarlyData           = stdtls.QUICRejectedEarlyData
	QUICHandshakeDone               = stdtls.QUICHandshakeDone
	QUICResumeSession               = stdtls.QUICResumeSession
	QUICStoreSession                = stdtls.QUICStoreSession
	QUICErrorEvent                  = stdtls.QUICErrorEvent
)

// QUICConfig configures a [QUICConn].
type QUICConfig struct {
	TLSConfig           *Config
	EnableSessionEvents bool
}

// QUICEvent is something that a QUIC implementation has to act on.
type QUICEvent struct {
	Kind         QUICEventKind
	Level        QUICEncryptionLevel
	Data         []byte
	Suite        uint16
	SessionState *SessionState
	Err          error
}

// QUICConn has the shape of crypto/tls's QUICConn, so that code which mentions
// it compiles. QUIC is not implemented yet: Start fails, and so does all else
// that would do work. RFC 9001.
type QUICConn struct{ reported bool }

// QUICClient returns a connection whose Start fails.
func QUICClient(config *QUICConfig) *QUICConn { return new(QUICConn) }

// QUICServer returns a connection whose Start fails.
func QUICServer(config *QUICConfig) *QUICConn { return new(QUICConn) }

// Start fails: QUIC is not implemented yet.
func (q *QUICConn) Start(ctx context.Context) error { return errQUIC }

// NextEvent returns one QUICErrorEvent, and QUICNoEvent from then on.
func (q *QUICConn) NextEvent() QUICEvent {
	if q.reported {
		return QUICEvent{Kind: QUICNoEvent}
	}
	q.reported = true
	return QUICEvent{Kind: QUICErrorEvent, Err: errQUIC}
}

// Close has nothing to close and returns nil.
func (q *QUICConn) Close() error { return nil }

// HandleData fails: QUIC is not implemented yet.
func (q *QUICConn) HandleData(level QUICEncryptionLevel, data []byte) error { return errQUIC }

// SendSessionTicket fails: QUIC is not implemented yet.
func (q *QUICConn) SendSessionTicket(opts QUICSessionTicketOptions) error { return errQUIC }

// StoreSession fails: QUIC is not implemented yet.
func (q *QUICConn) StoreSession(session *SessionState) error { return errQUIC }

// SetTransportParameters does nothing; Start reports the error.
func (q *QUICConn) SetTransportParameters(params []byte) {}

// ConnectionState returns the state of a connection on which nothing was
// agreed; its ExportKeyingMaterial fails.
func (q *QUICConn) ConnectionState() ConnectionState {
	var cs ConnectionState
	handshake.SetExporter(&cs, func(string, []byte, int) ([]byte, error) { return nil, errQUIC })
	return cs
}
