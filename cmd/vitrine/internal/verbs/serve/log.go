package serve

import (
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"strings"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/httptls"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// logHandshake writes the one line of a connection, or why there is none. slog quotes what a peer can
// choose: the name, the protocol, and what an error repeats of it.
func logHandshake(log *slog.Logger, h httptls.Handshake) {
	state := h.Conn.ConnectionState()
	peer := slog.String("peer", h.Conn.RemoteAddr().String())
	sni := slog.String("sni", state.ServerName)
	duration := slog.Duration("duration", h.Duration)
	if h.Err != nil {
		f := report.Describe(h.Err, wire.Server, nil)
		fields := []any{peer, sni, duration, slog.String("reason", f.Text)}
		for _, more := range []struct{ key, value string }{
			{"accepted", strings.Join(f.Ours, "; ")}, {"offered", strings.Join(f.Theirs, "; ")}, {"advice", f.Advice},
		} {
			if more.value != "" {
				fields = append(fields, slog.String(more.key, more.value))
			}
		}
		log.Warn("handshake failed", fields...)
		return
	}
	fields := []any{peer,
		slog.String("version", wire.Version(state.Version).String()),
		slog.String("suite", tls.CipherSuiteName(state.CipherSuite)),
		slog.String("group", flags.GroupName(state.CurveID)),
		slog.String("resumed", h.Conn.State().Resumption),
		slog.String("alpn", state.NegotiatedProtocol),
		sni, duration}
	if more := h.Conn.State(); more.PSKIdentity != "" {
		fields = append(fields, slog.String("psk", more.PSKIdentity))
	}
	log.Info("connection", fields...)
}

// names are those of the log in JSON, which are the same in every verb.
var names = map[string]string{
	"suite": "cipher_suite", "sni": "server_name", "psk": "psk_identity",
	"reason": "failure", "accepted": "ours", "offered": "theirs",
}

// mostLogged is how many bytes of one text are logged: much of it is what strangers send.
const mostLogged = 1 << 10

// short is a slog.HandlerOptions.ReplaceAttr.
func short(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindString {
		return a
	}
	if s := a.Value.String(); len(s) > mostLogged {
		a.Value = slog.StringValue(fmt.Sprintf("%s... (%d bytes)", s[:mostLogged], len(s)))
	}
	return a
}

// jsonNames is a slog.HandlerOptions.ReplaceAttr.
func jsonNames(groups []string, a slog.Attr) slog.Attr {
	if a.Key == "duration" {
		return slog.Int64("handshake_us", a.Value.Duration().Microseconds())
	}
	a.Key = cmp.Or(names[a.Key], a.Key)
	return short(groups, a)
}

// serverURL returns a URL that the certificate is good for: by name where we
// listen on loopback or on every address, or else by address.
func serverURL(addr net.Addr, certs []tls.Certificate) string {
	tcp := addr.(*net.TCPAddr)
	host := tcp.IP.String()
	if tcp.IP.IsLoopback() || tcp.IP.IsUnspecified() {
		host = "localhost"
	}
	for _, cert := range certs {
		if leaf := cert.Leaf; leaf != nil && leaf.VerifyHostname(host) != nil && len(leaf.DNSNames) > 0 {
			host = leaf.DNSNames[0]
		}
	}
	_, port, _ := net.SplitHostPort(tcp.String()) // a TCPAddr has a port
	return "https://" + net.JoinHostPort(host, port) + "/"
}

// shellQuote returns s as one word for a POSIX shell.
func shellQuote(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@%", r)
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
