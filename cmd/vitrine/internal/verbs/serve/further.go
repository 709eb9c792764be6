package serve

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/httptls"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// furtherTimeout bounds a handshake inside a connection.
const furtherTimeout = 10 * time.Second

// askLater leaves the request for a certificate out of the first handshake of
// each connection: what config demands holds from the next one on, also where a session
// was resumed.
func askLater(config *tls.Config) {
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		one := config.Clone()
		one.GetConfigForClient, one.ClientAuth = nil, tls.NoClientCert
		one.VerifyConnection = func(tls.ConnectionState) error { // which ends a handshake
			one.ClientAuth = config.ClientAuth
			return nil
		}
		return one, nil
	}
}

// afterHandshake logs the handshake and begins the one that is to follow it.
func (o *options) afterHandshake(log *slog.Logger, h httptls.Handshake) {
	logHandshake(log, h)
	if h.Err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), furtherTimeout)
	defer cancel()
	what, err := "", error(nil)
	switch {
	case o.tls.PostHandshakeAuth:
		what, err = "client certificate", h.Conn.RequestClientCertificate(ctx)
	case o.tls.Renegotiate == "server" && h.Conn.State().Version <= wire.TLS12:
		what, err = "renegotiation", h.Conn.Renegotiate(ctx)
	default:
		return
	}
	fields := []any{slog.String("peer", h.Conn.RemoteAddr().String())}
	client, level := clientFields(h.Conn.State())
	fields = append(fields, client...)
	if err == nil {
		log.Log(ctx, level, what, fields...)
		return
	}
	log.Warn(what+" failed", append(fields, slog.String("failure", report.Describe(err, wire.Server, nil).Text))...)
	if !errors.Is(err, tls.ErrNoRenegotiation) || o.clientAuth == "require" {
		h.Conn.Close()
	}
}
