package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// refused is how the system reports a port on which nobody listens.
func refused() error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, exitOK},
		{errors.New("something else"), exitFindings},
		{usagef("wrong flag"), exitUsage},
		{&fs.PathError{Op: "open", Path: "x", Err: syscall.ENOENT}, exitUsage},
		{refused(), exitNetwork},
		{&net.DNSError{Err: "no such host"}, exitNetwork},
		{context.DeadlineExceeded, exitNetwork},
		{&handshakeError{context.DeadlineExceeded}, exitNetwork},
		{&handshakeError{&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}}, exitNetwork},
		{&handshakeError{io.EOF}, exitHandshake},
		{&handshakeError{errors.New("tls: some rule")}, exitHandshake},
		{io.ErrUnexpectedEOF, exitNetwork},
		{&handshakeError{io.ErrUnexpectedEOF}, exitHandshake},
		{tls.AlertError(wire.AlertHandshakeFailure), exitHandshake},
		{&net.OpError{Op: "remote error", Err: tls.AlertError(wire.AlertProtocolVersion)}, exitHandshake},
		{tls.RecordHeaderError{Msg: "not TLS"}, exitHandshake},
		{tls.AlertError(wire.AlertUnknownCA), exitCertificate},
		{tls.AlertError(wire.AlertCertificateRequired), exitCertificate},
		{&handshakeError{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}, exitCertificate},
		{x509.HostnameError{Certificate: &x509.Certificate{}}, exitCertificate},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v: exit code %d, want %d", c.err, got, c.want)
		}
		if got := exitCode(reportedError{fmt.Errorf("wrapped: %w", c.err)}); c.err != nil && got != c.want {
			t.Errorf("wrapped %v: exit code %d, want %d", c.err, got, c.want)
		}
	}
}

func TestAdviceFitsTheSide(t *testing.T) {
	for _, c := range []struct {
		err            error
		client, server string
	}{
		{x509.UnknownAuthorityError{}, "--ca", "--client-ca"},
		{refused(), "nothing listens", ""},
		{&handshakeError{io.ErrUnexpectedEOF}, "without a word", ""},
		{io.ErrUnexpectedEOF, "data may be missing", "without a word"},
		{os.NewSyscallError("bind", syscall.EADDRINUSE), "", "--listen"},
		{tls.RecordHeaderError{RecordHeader: [5]byte([]byte("HTTP/"))}, "HTTP without TLS", "HTTP without TLS"},
		{tls.RecordHeaderError{RecordHeader: [5]byte([]byte("220 m"))}, "STARTTLS", "does not speak TLS"},
		{tls.AlertError(wire.AlertCertificateRequired), "--cert", "asks for a certificate"},
		{tls.AlertError(wire.AlertUnknownCA), "authority", "must trust"},
		{tls.AlertError(wire.AlertNoApplicationProtocol), "--alpn", ""},
		{tls.AlertError(wire.AlertBadRecordMAC), "--psk", "another key"},
		{&tls.HandshakeError{Ref: "RFC 5746 §4"}, "--legacy unsafe-renegotiation", "--legacy unsafe-renegotiation"},
	} {
		for we, want := range map[wire.Role]string{client: c.client, server: c.server} {
			got := describeFailure(c.err, we, nil).Advice
			if !strings.Contains(got, want) || want == "" && got != "" {
				t.Errorf("%v, %v: advice %q, want %q in it", c.err, we, got, want)
			}
		}
	}
}

func TestFailuresCannotWriteToTheTerminal(t *testing.T) {
	evil := errors.New("tls: the peer says \x1b[2J\nvitrine: all is well")
	var b strings.Builder
	describeFailure(evil, client, nil).write(&b, "")
	if out := b.String(); strings.ContainsRune(out, 0x1b) || strings.Count(out, "\n") != 1 {
		t.Errorf("wrote %q", out)
	}
}

func TestTargets(t *testing.T) {
	for in, want := range map[string]string{
		"example.com":        "example.com:443",
		"example.com:8443":   "example.com:8443",
		"127.0.0.1":          "127.0.0.1:443",
		"::1":                "[::1]:443",
		"[::1]":              "[::1]:443",
		"[2001:db8::1]:8443": "[2001:db8::1]:8443",
		"":                   "", ":1": "", "a:b:c": "", "host:0": "", "host:65536": "", "host:": "", "a b": "", "http://x": "", "[x": "",
	} {
		got, err := parseTarget(in)
		switch {
		case want == "" && exitCode(err) != exitUsage:
			t.Errorf("parseTarget(%q) = %v, %v; want a usage error", in, got, err)
		case want != "" && (err != nil || got.String() != want):
			t.Errorf("parseTarget(%q) = %v, %v; want %s", in, got, err, want)
		}
	}
}

func TestShellQuote(t *testing.T) {
	for in, want := range map[string]string{
		"/home/jane/.config/vitrine/ca.pem": "/home/jane/.config/vitrine/ca.pem",
		"/Users/jane/Application Support":   "'/Users/jane/Application Support'",
		"/it's":                             `'/it'\''s'`,
		"$HOME":                             "'$HOME'",
	} {
		if got := shellQuote(in); got != want {
			t.Errorf("shellQuote(%q) = %s, want %s", in, got, want)
		}
	}
}
