package tls_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/tls"
)

// TestQUICFailsClearly uses a QUICConn as a QUIC implementation does: all that
// would do work fails with one error, nothing panics, and no loop over
// NextEvent is endless.
func TestQUICFailsClearly(t *testing.T) {
	for name, q := range map[string]*tls.QUICConn{
		"client": tls.QUICClient(&tls.QUICConfig{TLSConfig: &tls.Config{MinVersion: tls.VersionTLS13}}),
		"server": tls.QUICServer(&tls.QUICConfig{}),
		"nil":    tls.QUICClient(nil),
	} {
		q.SetTransportParameters([]byte{1})
		event := tls.QUICEvent{Err: q.Start(context.Background())}
		for call, err := range map[string]error{
			"Start":             event.Err,
			"HandleData":        q.HandleData(tls.QUICEncryptionLevelInitial, []byte{1}),
			"SendSessionTicket": q.SendSessionTicket(tls.QUICSessionTicketOptions{}),
			"StoreSession":      q.StoreSession(nil),
		} {
			var alert tls.AlertError
			if err == nil || !strings.Contains(err.Error(), "QUIC is not implemented yet") || !errors.As(err, &alert) {
				t.Errorf("%s, %s: %v", name, call, err)
			}
		}
		if e := q.NextEvent(); e.Kind != tls.QUICErrorEvent || e.Err != event.Err {
			t.Errorf("%s: first event %+v", name, e)
		}
		if e := q.NextEvent(); e.Kind != tls.QUICNoEvent {
			t.Errorf("%s: second event %+v", name, e)
		}
		s := q.ConnectionState()
		if _, err := s.ExportKeyingMaterial("label", nil, 32); err == nil || s.HandshakeComplete || s.Version != 0 {
			t.Errorf("%s: state %+v", name, s)
		}
		if err := q.Close(); err != nil {
			t.Errorf("%s: Close: %v", name, err)
		}
	}
}
