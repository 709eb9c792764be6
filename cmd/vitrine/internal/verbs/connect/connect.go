// Package connect is the verb connect.
package connect

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/text"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// lateRefusalWait is how long lateRefusal waits.
const lateRefusalWait = time.Second

// options are the flags of vitrine connect.
type options struct {
	tls      flags.TLS
	identity flags.Identity
	ca, sni  string
	alpn     flags.ALPN
	insecure flags.Insecure
	rawKey   flags.RawKey
	revoked  flags.Revocation
	way      flags.Reach
	json     bool
	timeout  flags.Timeout
	// halfClose closes our direction when the input ends.
	halfClose bool
	send      flags.Send
	early     flags.EarlyData
	hurry     []byte // what --early-data says; nil for nothing

	clientCertificate clientCertificate
	offer             report.Offer
	seen              observed
	verdict           *explain.Verdict // on the server's certificates
}

// New makes the verb.
func New() *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "connect HOST[:PORT]",
		Short: "Connect, say what was agreed on, and relay stdin and stdout",
		Long: `Connect to HOST, verify its certificate chain and its name, and write a summary
to standard error. Then vitrine sends standard input, and writes what it
receives to standard output. It ends when the server ends: our direction stays
open after the end of the input, because many servers drop their answer when it
closes. --half-close closes it; and so does an input without a byte. Without
--half-close, a server that does not answer the input is a failure.

HOST is a name, an address, a URL, or unix:PATH for a unix socket, which stands
for localhost. The port is 443 if none is given, and may be a service's name.

Mail, directories, chats and databases begin in the clear on some ports, like
587. There, and with URLs like smtp:// or postgres://, vitrine has the server
turn to TLS first. --starttls names the protocol where the port does not.

With --post-handshake-auth or --renegotiate server the server may begin another
handshake: without input vitrine waits for that, for --timeout at most.

The OCSP response that the server staples to its certificate is verified. With
--revocation soft or hard vitrine also asks the certificate's authority, over
the network, whether it is revoked.

With --raw-public-key the server shows its key without a certificate (RFC 7250).
The first time the key is remembered, in --known-keys; another key is refused
from then on, with what to do. --pin says beforehand which key is right.

With --json the summary goes to standard output, and the connection is closed
without relaying.

Name old versions and weak suites to use them. Dangerous ones also need
--legacy; the error says which word. The summary warns of weak choices.`,
		Example: `  vitrine connect example.com
  printf 'GET / HTTP/1.0\r\nHost: example.com\r\n\r\n' |
    vitrine connect example.com:443
  vitrine connect localhost:8443 --ca ~/.config/vitrine/ca.pem --json
  vitrine connect mail.example.com:993 --send 'a logout\r\n'
  vitrine connect mail.example.com:587
  vitrine connect postgres://db.example.com --json
  vitrine connect box.local:8443 --raw-public-key
  vitrine connect example.com --resume ticket
  vitrine connect printer.local --max tls1.0 --suites RC4-SHA \
    --legacy rc4,rsa-key-exchange`,
		Args: flags.Arguments(1, 1, "vitrine connect example.com:443"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0]) },
	}
	set := cmd.Flags()
	set.SortFlags = false
	o.asks(cmd)
	set.BoolVar(&o.halfClose, "half-close", false, "close our direction when the input ends, instead of waiting for the server to end")
	o.says(cmd)
	set.BoolVar(&o.json, "json", false, "write the summary as JSON to standard output; do not relay")
	o.timeout.Register(cmd, 10*time.Second, "time limit for connecting and the handshake together, like 5 (seconds) or 1m30s")
	o.identity.Register(cmd, "our client")
	o.tls.Register(cmd, flags.ClientSide)
	return cmd
}

// asks adds the flags for the server that is asked for, and how it is verified.
func (o *options) asks(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.ca, "ca", "", "trust the authorities in this PEM `file` instead of the system's")
	cmd.Flags().StringVar(&o.sni, "sni", "", "the `name` to ask for and to verify (default: HOST)")
	o.alpn.Register(cmd, nil, ", like h2,http/1.1")
	o.insecure.Register(cmd)
	o.rawKey.Register(cmd)
	o.revoked.Register(cmd, "the server's")
	o.way.Register(cmd)
}

// says adds the flags for what is sent.
func (o *options) says(cmd *cobra.Command) {
	o.send.Register(cmd, "what comes from standard input")
	o.early.Register(cmd)
}

func (o *options) run(cmd *cobra.Command, arg string) error {
	at, err := flags.ParseTarget(arg)
	if err != nil {
		return err
	}
	if err := cmp.Or(o.timeout.Check(), o.alpn.Check(), o.way.Check()); err != nil {
		return err
	}
	input, err := o.input(cmd)
	if err != nil {
		return err
	}
	if err := o.loadEarly(cmd); err != nil {
		return err
	}
	config, err := o.config(at)
	if err != nil {
		return err
	}
	if err := cmp.Or(o.revoked.Apply(cmd, config), o.rawKey.Apply(cmd, config, at.String())); err != nil {
		return err
	}
	if log, err := flags.KeyLog(); err != nil {
		return err
	} else if log != nil {
		defer log.Close()
		config.KeyLogWriter = log
	}
	conn, made, err := o.reach(cmd.Context(), at, config)
	o.verdict = o.seen.server.Judge(cmd.Context(), config)
	if err != nil {
		return o.reportFailure(cmd, at, err)
	}
	defer conn.Close()
	made.judged(o.verdict)
	if o.json {
		if err := o.lateRefusal(conn); err != nil {
			return o.reportFailure(cmd, at, o.blame(err))
		}
		return report.JSON(cmd.OutOrStdout(), made)
	}
	if err := made.write(cmd.ErrOrStderr()); err != nil {
		return err
	}
	r := &relay{conn: conn, out: cmd.OutOrStdout(), notes: cmd.ErrOrStderr(), halfClose: o.halfClose}
	before := conn.State()
	if o.mayFollow(before) {
		r.later = o.timeout.Duration
	}
	err = r.run(input)
	o.writeLater(cmd.ErrOrStderr(), before, conn.State())
	if err != nil {
		return o.reportFailure(cmd, at, o.blame(err))
	}
	return nil
}

// input is what is sent.
func (o *options) input(cmd *cobra.Command) (io.Reader, error) {
	switch content, given, err := o.send.Load(cmd); {
	case err != nil:
		return nil, err
	case given && o.json:
		return nil, report.Usagef("--send does nothing with --json, which closes the connection at once; leave one out")
	case given:
		return bytes.NewReader(content), nil
	}
	return cmd.InOrStdin(), nil
}

func (o *options) config(at flags.Target) (*tls.Config, error) {
	config := &tls.Config{NextProtos: o.alpn.Protocols, Trace: o.offer.Hooks()}
	o.seen.watch(config.Trace)
	o.seen.account(config.Trace)
	var err error
	if config.ServerName, err = flags.ALabels(cmp.Or(o.sni, at.Host)); err != nil {
		return nil, err
	}
	if err := o.tls.Apply(config); err != nil {
		return nil, err
	}
	if o.ca != "" {
		pool, err := flags.Pool("ca", o.ca)
		if err != nil {
			return nil, err
		}
		config.RootCAs = pool
	}
	o.clientCertificate.given, err = o.identity.Show(config)
	return config, cmp.Or(err, o.insecure.Apply(config))
}

// reach makes the connection, after another one that it resumes, if the flags say so.
func (o *options) reach(ctx context.Context, at flags.Target, config *tls.Config) (*tls.Conn, *Summary, error) {
	if o.tls.Resumes() {
		if err := o.firstConnection(ctx, at, config); err != nil {
			return nil, nil, err
		}
	}
	conn, took, err := o.connect(ctx, at, config, o.hurry)
	if err != nil {
		return nil, nil, err
	}
	if err := cmp.Or(o.rawKey.Keep(), o.renegotiate(ctx, conn)); err != nil {
		conn.Close()
		return nil, nil, err
	}
	made := summarize(conn, at, config, took)
	made.StartTLS = o.way.Protocol(at)
	made.newKey = o.rawKey.New
	if state := conn.State(); len(state.VerifiedChains) > 0 {
		made.Revocation = o.revoked.Words(state.Revocation)
	}
	o.clientCertificate.later = o.mayFollow(conn.State())
	made.ClientCertificate, made.PSKHint = o.clientCertificate.outcome(o.seen.choice.Load()), o.tls.Hinted
	made.Warnings = append(o.unmet(conn.State()), made.Warnings...)
	return conn, made, nil
}

// connect dials and shakes hands, within the timeout. early is sent with the ClientHello if the
// server takes it, else behind the handshake.
func (o *options) connect(ctx context.Context, at flags.Target, config *tls.Config, early []byte) (*tls.Conn, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, o.timeout.Duration)
	defer cancel()
	raw, err := o.way.Dial(ctx, at)
	if err != nil {
		return nil, 0, err
	}
	conn := tls.Client(raw, config)
	begun := time.Now()
	if err := shake(ctx, conn, early); err != nil {
		raw.Close()
		return nil, 0, report.WhileShakingHands(o.blame(err))
	}
	return conn, time.Since(begun), nil
}

// blame says that our certificate is missing or does not fit, where that is why.
func (o *options) blame(err error) error {
	return report.ForClientCertificate(err, o.seen.choice.Load())
}

// lateRefusal waits a moment for the alert by which a server that asked for a
// certificate refuses us: in TLS 1.3 our side of the handshake is done by then.
func (o *options) lateRefusal(conn *tls.Conn) error {
	if o.seen.choice.Load() == nil { // it asked for no certificate
		return nil
	}
	if err := conn.CloseWrite(); err != nil {
		return err
	}
	conn.SetReadDeadline(time.Now().Add(lateRefusalWait))
	_, err := io.Copy(io.Discard, conn)
	if report.IsCertificateError(err) {
		return err
	}
	return nil // it keeps quiet, or goes: no refusal
}

func (o *options) reportFailure(cmd *cobra.Command, at flags.Target, err error) error {
	f := report.Describe(err, wire.Client, &o.offer)
	f.Diagnose(flags.DiagnoseAgain(cmd, at, "json", "send"), o.diagnose(err), err)
	o.blameDeclined(&f)
	refused := o.verdict != nil && !o.verdict.Accepted && !o.insecure.On && report.ExitCode(err) == report.ExitCertificate
	if refused {
		f.Verdict = o.verdict
	}
	if o.json {
		return report.JSONError(cmd.OutOrStdout(), at.String(), f, err)
	}
	f.Write(cmd.ErrOrStderr(), fmt.Sprintf("vitrine: %s: ", at))
	if rejected, ok := errors.AsType[*tls.ECHRejectionError](err); ok && len(rejected.RetryConfigList) > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "the server sent configs to try: --ech-config %s\n", base64.StdEncoding.EncodeToString(rejected.RetryConfigList))
	}
	if refused {
		if err := text.WriteVerdict(cmd.ErrOrStderr(), o.verdict, text.Options{Color: terminal.PaletteFor(cmd.ErrOrStderr()).On}); err != nil {
			return err
		}
	}
	return report.Reported(err)
}
