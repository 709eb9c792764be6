package explain

import (
	"context"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
)

// loadEarly reads --early-data, which needs a session of TLS 1.3.
func (o *options) loadEarly(cmd *cobra.Command) (err error) {
	if o.hurry, err = o.early.Load(cmd); err != nil || o.hurry == nil {
		return err
	}
	switch {
	case o.tls.Resumes() && o.tls.Resume != "psk":
		return report.Usagef("--early-data needs a session of TLS 1.3; leave --resume %s out", o.tls.Resume)
	case o.sends:
		return report.Usagef("--early-data and --send both say what to send; leave one out")
	case o.fail != "":
		return report.Usagef("--fail is about the first handshake, which has no early data; leave one out")
	}
	o.tls.Resume = "psk"
	return nil
}

// mostEarly is how much early data our own server takes.
const mostEarly = 16 << 10

// takeEarly has our own server take early data.
func (o *options) takeEarly(server *tls.Config) {
	if o.hurry == nil {
		return
	}
	server.EarlyData = tls.EarlyData{MaxBytes: mostEarly, Protocols: append([]string{""}, server.NextProtos...), Replay: session.SingleUse(session.NewMemory(sessionBudget))}
}

// shake does the handshake, the second time with early data, if there is some. left is what
// the server has not taken of it.
func (e *explanation) shake(ctx context.Context, conn *tls.Conn, again bool) (left []byte, err error) {
	if !again || e.options.hurry == nil {
		return nil, conn.HandshakeContext(ctx)
	}
	taken, err := conn.HandshakeEarly(ctx, e.options.hurry)
	if taken {
		return nil, err
	}
	return e.options.hurry, err
}

// notEarly says why early data was not sent, or not taken; empty where it was. The server's word is
// the last.
func (e *explanation) notEarly(account *explain.Connection) string {
	for _, event := range slices.Backward(account.Events) {
		if c := event.Choice; c != nil && c.What == "early data" {
			if c.Picked == "accepted" {
				return ""
			}
			return "the early data was sent after the handshake: " + c.Why
		}
	}
	return ""
}

// listenEarly reads the early data of a client, if the server takes it, and behind it what comes
// after the handshake.
func listenEarly(conn *tls.Conn) (io.Reader, error) {
	early, err := conn.AcceptEarly(context.Background())
	if early == nil {
		return conn, err
	}
	return io.MultiReader(early, conn), nil
}
