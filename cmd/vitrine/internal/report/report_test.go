package report

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
	"github.com/vitrine-tls/vitrine/trace"
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
		{nil, ExitOK},
		{errors.New("something else"), ExitFindings},
		{Usagef("wrong flag"), ExitUsage},
		{&fs.PathError{Op: "open", Path: "x", Err: syscall.ENOENT}, ExitUsage},
		{refused(), ExitNetwork},
		{&net.DNSError{Err: "no such host"}, ExitNetwork},
		{context.DeadlineExceeded, ExitNetwork},
		{&handshakeError{context.DeadlineExceeded}, ExitNetwork},
		{&handshakeError{&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}}, ExitNetwork},
		{&handshakeError{io.EOF}, ExitHandshake},
		{&handshakeError{errors.New("tls: some rule")}, ExitHandshake},
		{io.ErrUnexpectedEOF, ExitNetwork},
		{ErrNoAnswer, ExitNetwork},
		{&handshakeError{io.ErrUnexpectedEOF}, ExitHandshake},
		{tls.AlertError(wire.AlertHandshakeFailure), ExitHandshake},
		{&net.OpError{Op: "remote error", Err: tls.AlertError(wire.AlertProtocolVersion)}, ExitHandshake},
		{tls.RecordHeaderError{Msg: "not TLS"}, ExitHandshake},
		{tls.AlertError(wire.AlertUnknownCA), ExitCertificate},
		{tls.AlertError(wire.AlertCertificateRequired), ExitCertificate},
		{&handshakeError{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}, ExitCertificate},
		{x509.HostnameError{Certificate: &x509.Certificate{}}, ExitCertificate},
	} {
		if got := ExitCode(c.err); got != c.want {
			t.Errorf("%v: exit code %d, want %d", c.err, got, c.want)
		}
		if got := ExitCode(reportedError{fmt.Errorf("wrapped: %w", c.err)}); c.err != nil && got != c.want {
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
		{ErrNoAnswer, "--half-close", ""},
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
		for we, want := range map[wire.Role]string{wire.Client: c.client, wire.Server: c.server} {
			got := Describe(c.err, we, nil).Advice
			if !strings.Contains(got, want) || want == "" && got != "" {
				t.Errorf("%v, %v: advice %q, want %q in it", c.err, we, got, want)
			}
		}
	}
}

// A refusal that may be for the client's certificate says so, where that did not fit;
// one that has another reason keeps it.
func TestClientCertificateIsBlamed(t *testing.T) {
	refusal, own := tls.AlertError(wire.AlertHandshakeFailure), x509.UnknownAuthorityError{}
	for _, c := range []struct {
		name   string
		err    error
		choice *trace.Choice
		want   string
	}{
		{"none", refusal, &trace.Choice{Why: "no certificate is at hand; the server accepts certificates of X"}, "give one with --cert and --key; the server accepts certificates of X"},
		{"misfit", refusal, &trace.Choice{Why: "that of Y does not fit"}, "give another client certificate with --cert and --key: that of Y"},
		{"sent", refusal, &trace.Choice{Picked: "Y", Why: "its key can sign; but that of Y does not fit"}, "give another client certificate with --cert and --key: that of Y"},
		{"fits", refusal, &trace.Choice{Picked: "Y", Why: "its key can sign"}, "offer others with --suites"},
		{"not asked", refusal, nil, "offer others with --suites"},
		{"another alert", tls.AlertError(wire.AlertProtocolVersion), &trace.Choice{Why: "that of Y does not fit"}, "--min and --max"},
		{"the server's", own, &trace.Choice{Why: "that of Y does not fit"}, "--ca"},
	} {
		if got := Describe(ForClientCertificate(c.err, c.choice), wire.Client, nil).Advice; !strings.Contains(got, c.want) {
			t.Errorf("%s: advice %q, want %q in it", c.name, got, c.want)
		}
	}
}

func TestFailuresCannotWriteToTheTerminal(t *testing.T) {
	evil := errors.New("tls: the peer says \x1b[2J\nvitrine: all is well")
	var b strings.Builder
	Describe(evil, wire.Client, nil).Write(&b, "")
	if out := b.String(); strings.ContainsRune(out, 0x1b) || strings.Count(out, "\n") != 1 {
		t.Errorf("wrote %q", out)
	}
}
