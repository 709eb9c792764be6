package serve

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/httptls"
	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// logHandshake writes the one line of a connection, or why there is none. slog quotes what a peer can
// choose: the name, the protocol, and what an error repeats of it. The names are those of the JSON of every
// verb, in both formats.
func logHandshake(log *slog.Logger, h httptls.Handshake) {
	state := h.Conn.ConnectionState()
	peer := slog.String("peer", h.Conn.RemoteAddr().String())
	sni := slog.String("server_name", state.ServerName)
	duration := slog.Int64("handshake_us", h.Duration.Microseconds())
	if h.Err != nil {
		f := report.Describe(h.Err, wire.Server, nil)
		fields := []any{peer, sni, duration, slog.String("failure", f.Text)}
		for _, more := range []struct{ key, value string }{
			{"ours", strings.Join(f.Ours, "; ")}, {"theirs", strings.Join(f.Theirs, "; ")}, {"advice", f.Advice},
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
		slog.String("cipher_suite", tls.CipherSuiteName(state.CipherSuite)),
		slog.String("group", flags.GroupName(state.CurveID)),
		slog.String("resumed", h.Conn.State().Resumption),
		slog.String("alpn", state.NegotiatedProtocol),
		sni, duration}
	if more := h.Conn.State(); more.PSKIdentity != "" {
		fields = append(fields, slog.String("psk_identity", more.PSKIdentity))
	}
	if early := h.Conn.State().EarlyData; early != "none" {
		fields = append(fields, slog.String("early_data", early))
	}
	client, level := clientFields(h.Conn.State())
	log.Log(context.Background(), level, "connection", append(fields, client...)...)
}

// clientFields are what the log says of a client's certificate. One that only --legacy
// small-rsa allows is a warning.
func clientFields(state tls.State) (fields []any, level slog.Level) {
	chain := state.PeerCertificates
	if len(chain) == 0 {
		return nil, slog.LevelInfo
	}
	fields = []any{slog.String("subject", chain[0].Subject.String())}
	if a := state.Revocation; len(a) > 0 {
		fields = append(fields, slog.String("revocation", a[0].String()))
	}
	for _, c := range chain {
		if key := otherkeys.RSA(c); key != nil && key.N.BitLen() < safeRSABits {
			return append(fields, slog.String("weak", fmt.Sprintf("an RSA key of %d bits can be factored", key.N.BitLen()))), slog.LevelWarn
		}
	}
	return fields, slog.LevelInfo
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
