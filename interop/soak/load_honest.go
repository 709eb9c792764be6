package main

import (
	"context"
	stdtls "crypto/tls"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// A visit of an honest client is this long; the next follows at once.
const visitTime = 15 * time.Second

// honestKind is a client that does all as it should.
type honestKind struct {
	name   string
	client func(s *storm, conn net.Conn) handshaker
}

type handshaker interface {
	net.Conn
	HandshakeContext(ctx context.Context) error
}

var honestKinds = []honestKind{
	{"TLS 1.3", func(s *storm, conn net.Conn) handshaker { return s.ours(conn, tls.VersionTLS13) }},
	{"TLS 1.2", func(s *storm, conn net.Conn) handshaker { return s.ours(conn, tls.VersionTLS12) }},
	{"crypto/tls, TLS 1.3", func(s *storm, conn net.Conn) handshaker { return s.std(conn, tls.VersionTLS13) }},
	{"crypto/tls, TLS 1.2", func(s *storm, conn net.Conn) handshaker { return s.std(conn, tls.VersionTLS12) }},
}

// ours is a client of this library with one version.
func (s *storm) ours(conn net.Conn, version uint16) *tls.Conn {
	config := s.client.Clone()
	config.MinVersion, config.MaxVersion = version, version
	return tls.Client(conn, config)
}

// std is one of crypto/tls.
func (s *storm) std(conn net.Conn, version uint16) *stdtls.Conn {
	return stdtls.Client(conn, &stdtls.Config{RootCAs: s.client.RootCAs, ServerName: loadName, MinVersion: version, MaxVersion: version})
}

// keepVisiting visits the server until the storm ends.
func (s *storm) keepVisiting(ctx context.Context, k *honestKind) {
	for ctx.Err() == nil {
		if err := s.visit(ctx, k, visitTime); err != nil && ctx.Err() == nil {
			s.honest.mu.Lock()
			s.honest.errs = append(s.honest.errs, fmt.Errorf("%s: %w", k.name, err))
			s.honest.mu.Unlock()
		}
	}
}

// visit connects, then sends requests for a time, at least one.
func (s *storm) visit(ctx context.Context, k *honestKind, long time.Duration) error {
	began := time.Now()
	raw, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	conn := k.client(s, raw)
	defer conn.Close()
	if err := conn.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("handshake, after %v: %w", time.Since(began), err)
	}
	s.honest.mu.Lock()
	s.honest.latencies = append(s.honest.latencies, time.Since(began))
	s.honest.mu.Unlock()
	for n := 0; ; n++ {
		if err := echo(conn, n); err != nil {
			return err
		}
		if left := long - time.Since(began); left <= 0 || !sleep(ctx, min(left, 3*time.Second)) {
			return nil
		}
	}
}

// echo sends a request and wants it back.
func echo(conn net.Conn, n int) error {
	request := fmt.Appendf(nil, "%0*d", requestLen, n)
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write(request); err != nil {
		return err
	}
	answer := make([]byte, requestLen)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return err
	}
	if string(answer) != string(request) {
		return fmt.Errorf("%q was answered with %q", request, answer)
	}
	return nil
}
