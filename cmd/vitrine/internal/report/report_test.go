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

	"github.com/vitrine-tls/vitrine/explain/diagnose"
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
		{&fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}, ExitFindings},
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

// What TLS does not see is the command's to explain.
func TestAdviceFitsTheSide(t *testing.T) {
	for _, c := range []struct {
		err            error
		client, server string
	}{
		{refused(), "nothing listens", ""},
		{io.ErrUnexpectedEOF, "data may be missing", "may not be all"},
		{ErrNoAnswer, "--half-close", ""},
		{os.NewSyscallError("bind", syscall.EADDRINUSE), "", "--listen"},
		{tls.RecordHeaderError{Msg: `it begins with "; x"; use another port, or set Legacy.SSL2Hello`}, "use another port, or add --legacy ssl2-hello", "--legacy ssl2-hello"},
		{ForClientCertificate(tls.AlertError(wire.AlertHandshakeFailure), &trace.Choice{Why: "no certificate is at hand"}), "--cert", "--cert"},
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
		{"fits", refusal, &trace.Choice{Picked: "Y", Why: "its key can sign"}, ""},
		{"not asked", refusal, nil, ""},
		{"another alert", tls.AlertError(wire.AlertProtocolVersion), &trace.Choice{Why: "that of Y does not fit"}, ""},
		{"the server's", own, &trace.Choice{Why: "that of Y does not fit"}, ""},
	} {
		err := ForClientCertificate(c.err, c.choice)
		if got := Describe(err, wire.Client, nil).Advice; !strings.Contains(got, c.want) || (c.want == "") != (err == c.err) {
			t.Errorf("%s: %v, advice %q, want %q in it", c.name, err, got, c.want)
		}
	}
}

// What both the command and a diagnosis know of the network has one advice.
func TestTheNetworkHasOneRemedy(t *testing.T) {
	for _, row := range troubles {
		if row.cause == "" {
			continue
		}
		for _, err := range []error{
			&net.DNSError{Err: "no such host", IsNotFound: true}, &net.DNSError{Err: "server misbehaving"}, refused(), &net.OpError{Op: "dial", Err: syscall.ENETUNREACH},
		} {
			if !row.match(err) {
				continue
			}
			v := diagnose.Account(nil, diagnose.Also{Err: err})
			if first, _ := troubleOf(err); first.cause == row.cause && (v.Cause != row.cause || v.Advice == "" || Describe(err, wire.Client, nil).Advice != v.Advice) {
				t.Errorf("%v: it is %s (%s) here, and %s (%s) to a diagnosis", err, row.cause, Describe(err, wire.Client, nil).Advice, v.Cause, v.Advice)
			}
		}
	}
}

// A failure has one remedy, also where a diagnosis has one too; misuse has no cause to look for.
func TestADiagnosisAddsTheCause(t *testing.T) {
	err := refused()
	f := Describe(err, wire.Client, nil)
	before := f.Advice
	f.Diagnose("vitrine explain --diagnose a.test:443", diagnose.Account(nil, diagnose.Also{Err: err}), err)
	var b strings.Builder
	f.Write(&b, "")
	for _, want := range []string{"cause:", "port-closed", "find out more:  vitrine explain --diagnose a.test:443"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q lacks %q", b.String(), want)
		}
	}
	if f.Advice != before || strings.Count(b.String(), "what to change:") != 1 {
		t.Errorf("there are two remedies: %q", b.String())
	}
	misuse := &tls.HandshakeError{Rule: misusePrefix + "MinVersion is above MaxVersion"}
	f = Describe(misuse, wire.Client, nil)
	f.Diagnose("vitrine explain --diagnose a.test:443", diagnose.Account(nil, diagnose.Also{Err: misuse}), misuse)
	if f.Diagnosis != nil {
		t.Errorf("flags that cannot be used have the cause %s", f.Diagnosis.Cause)
	}
}

// The words of Go's network stay inside.
func TestTroublesInPlainWords(t *testing.T) {
	at := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Addr: at, Err: err} }
	for _, c := range []struct {
		err  error
		want string
	}{
		{dial(&net.DNSError{Err: "no such host", Name: "a.test", Server: "192.0.2.53:53", IsNotFound: true}), "there is no host of the name a.test"},
		{dial(&net.DNSError{Err: "i/o timeout", Name: "a.test", IsTimeout: true}), "a.test could not be looked up: this machine's DNS server does not answer"},
		{&net.DNSError{Err: "server misbehaving", Name: "a.test"}, "DNS server fails"},
		{dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "192.0.2.1:443 refused the connection"},
		{dial(os.NewSyscallError("connect", syscall.ENETUNREACH)), "no network leads to 192.0.2.1:443"},
		{dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), "192.0.2.1:443 cannot be reached"},
		{dial(context.DeadlineExceeded), "no answer came in time"},
		{&handshakeError{context.DeadlineExceeded}, "no answer came in time"},
		{&handshakeError{os.ErrDeadlineExceeded}, "no answer came in time"},
		{&net.OpError{Op: "read", Net: "tcp", Addr: at, Err: os.NewSyscallError("read", syscall.ECONNRESET)}, "closed by force"},
		{&net.OpError{Op: "write", Net: "tcp", Addr: at, Err: os.NewSyscallError("write", syscall.EPIPE)}, "closed by force"},
		{&net.OpError{Op: "listen", Net: "tcp", Addr: at, Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}, "192.0.2.1:443 is taken"},
		{&net.OpError{Op: "listen", Net: "tcp", Addr: at, Err: os.NewSyscallError("bind", syscall.EADDRNOTAVAIL)}, "not an address of this machine"},
		{&net.OpError{Op: "listen", Net: "tcp", Addr: at, Err: os.NewSyscallError("bind", syscall.EACCES)}, "not for this user"},
		{&net.OpError{Op: "read", Net: "tcp", Addr: at, Err: errors.New("something")}, "the network fails: something"},
		{&tls.HandshakeError{Rule: "the handshake took too long", Err: os.ErrDeadlineExceeded, Hint: "see Config.HandshakeTimeout"}, "the handshake took too long"},
	} {
		got := Describe(c.err, wire.Client, nil)
		if !strings.Contains(got.Text, c.want) {
			t.Errorf("%v: %q, want %q in it", c.err, got.Text, c.want)
		}
		for _, word := range []string{"dial", "lookup", "i/o", "deadline", "context", "tls:", "read tcp", "Config"} {
			if strings.Contains(got.Text+got.Advice, word) {
				t.Errorf("%q, %q: %q is a word of Go", got.Text, got.Advice, word)
			}
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
