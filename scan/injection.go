package scan

import (
	"bytes"
	"context"
	"net"

	"github.com/vitrine-tls/vitrine/starttls"
)

// commands are, for protocols of lines, how the command ends that asks for TLS, and one
// that does nothing but is answered.
var commands = map[string]struct{ ask, more string }{
	"smtp": {"STARTTLS\r\n", "NOOP\r\n"}, "lmtp": {"STARTTLS\r\n", "NOOP\r\n"}, "imap": {"STARTTLS\r\n", "x9 NOOP\r\n"},
	"pop3": {"STLS\r\n", "NOOP\r\n"}, "ftp": {"AUTH TLS\r\n", "NOOP\r\n"}, "nntp": {"STARTTLS\r\n", "DATE\r\n"},
}

// A stowaway is a connection on which the command that asks for TLS takes another one
// along, in the same write.
type stowaway struct {
	net.Conn
	ask, more []byte
}

func (s *stowaway) Write(b []byte) (int, error) {
	if !bytes.HasSuffix(bytes.ToUpper(b), s.ask) {
		return s.Conn.Write(b)
	}
	n, err := s.Conn.Write(append(bytes.Clone(b), s.more...))
	return min(n, len(b)), err
}

// injection sends a command in the clear behind the one that asks for TLS, and looks
// whether it is answered under TLS. CVE-2011-0411.
func (x *audit) injection(ctx context.Context) (bool, string) {
	words, known := commands[x.at.StartTLS]
	if !known {
		return false, ""
	}
	connect := x.p.Dial
	if connect == nil {
		connect = dial
	}
	p := &Prober{hosts: map[string]*pace{x.at.machine(): x.p.paceOf(x.at)}, Timeout: x.p.Timeout, MaxBytes: x.p.MaxBytes, Dial: func(ctx context.Context, t Target) (net.Conn, error) {
		clear := t
		clear.StartTLS = ""
		conn, err := connect(ctx, clear)
		if err != nil {
			return nil, err
		}
		loaded := &stowaway{conn, []byte(words.ask), []byte(words.more)}
		if err := starttls.Upgrade(ctx, loaded, t.StartTLS, starttls.Options{Host: t.host()}); err != nil {
			conn.Close()
			return nil, err
		}
		return conn, nil
	}}
	h := Modern()
	a, err := p.Do(ctx, x.at, Probe{Name: "a command before TLS", Hello: h, Until: Complete, idle: true,
		Then: []Step{Await{For: 2 * quiet, Done: func(a *Answer) bool { return len(a.Data()) > 0 }}}})
	x.tally(a)
	if err != nil || len(a.Data()) == 0 {
		return false, ""
	}
	x.found("starttls-injection", a, "what was sent in the clear is answered under TLS: "+string(beginning(a.Data(), 60)))
	return true, ""
}
