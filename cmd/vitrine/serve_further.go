package main

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/httptls"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// furtherTimeout bounds a handshake inside a connection.
const furtherTimeout = 10 * time.Second

// suitsHTTP2 reports that all we may agree on is good for HTTP/2. RFC 9113 §9.2
// wants strong suites and has no renegotiation, RFC 8740 no authentication after
// the handshake.
func (f *tlsFlags) suitsHTTP2() bool {
	weak := slices.ContainsFunc(f.listed, func(s *suite.Suite) bool {
		return s.KeyExchange != wire.KeyExchangeNone && (s.KeyExchange != wire.KeyExchangeECDHE || !s.IsAEAD())
	})
	return f.low >= wire.TLS12 && !weak && f.renegotiate == "" && !f.postHandshakeAuth
}

// askLater leaves the request for a certificate out of the handshake. What is
// shown afterwards must verify all the same.
func askLater(config *tls.Config) {
	roots := config.ClientCAs
	config.ClientAuth = tls.NoClientCert
	config.VerifyPeerCertificate = func(raw [][]byte, _ [][]*x509.Certificate) error {
		var chain []*x509.Certificate
		for _, der := range raw {
			cert, err := x509.ParseCertificate(der)
			if err != nil {
				return err
			}
			chain = append(chain, cert)
		}
		_, err := certcheck.Verify(chain, certcheck.Options{Roots: roots, Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		return err
	}
}

// afterHandshake logs the handshake and begins the one that is to follow it.
func (o *serveOptions) afterHandshake(log *slog.Logger, h httptls.Handshake) {
	logHandshake(log, h)
	if h.Err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), furtherTimeout)
	defer cancel()
	what, err := "", error(nil)
	switch {
	case o.tls.postHandshakeAuth:
		what, err = "client certificate", o.requestCertificate(ctx, h.Conn)
	case o.tls.renegotiate == "server" && h.Conn.State().Version <= wire.TLS12:
		what, err = "renegotiation", h.Conn.Renegotiate(ctx)
	default:
		return
	}
	fields := []any{slog.String("peer", h.Conn.RemoteAddr().String())}
	if certs := h.Conn.State().PeerCertificates; len(certs) > 0 {
		fields = append(fields, slog.String("subject", certs[0].Subject.String()))
	}
	if err == nil {
		log.Info(what, fields...)
		return
	}
	log.Warn(what+" failed", append(fields, slog.String("reason", describeFailure(err, server, nil).Text))...)
	if !errors.Is(err, tls.ErrNoRenegotiation) || o.clientAuth == "require" {
		h.Conn.Close()
	}
}

var errNoCertificate = errors.New("the client shows no certificate, and --client-auth require wants one")

func (o *serveOptions) requestCertificate(ctx context.Context, conn *tls.Conn) error {
	err := conn.RequestClientCertificate(ctx)
	if err == nil && o.clientAuth == "require" && len(conn.State().PeerCertificates) == 0 {
		return errNoCertificate
	}
	return err
}
