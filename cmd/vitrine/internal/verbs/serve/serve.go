// Package serve is the verb serve.
package serve

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/authority"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/httptls"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/tracefile/folder"
	"github.com/vitrine-tls/vitrine/wire"
)

// storeBudget is the room for --session-ids, in bytes.
const storeBudget = 16 << 20

// shutdownGrace is how long requests in flight may still run after the signal.
const shutdownGrace = 5 * time.Second

// options are the flags of vitrine serve.
type options struct {
	tls        flags.TLS
	identity   flags.Identities
	listen     string
	caDir      string
	clientAuth string
	clientCA   string
	revoked    flags.Revocation
	names      []string
	sessionIDs bool
	earlyData  bool
	accessLog  bool
	json       bool
	failures   string // the folder of --explain-failures
	inspect    bool
	inspector  inspector // of --inspect

	authorities []*x509.Certificate // of --client-ca
	rawKey      bool                // shows the key alone to clients that take it
	delegated   []string            // the files of --delegated-credential
}

// New makes the verb.
func New() *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "serve [DIR]",
		Short: "Serve a folder over HTTPS, with a certificate of its own",
		Long: `Serve the files of DIR (the current folder if none is given) over HTTPS, in
HTTP/1.1 and HTTP/2.

Without --cert a development authority is made at the first start and kept in
--ca-dir; ca.pem there is what clients have to trust, once. The authority can
certify names of this machine, those in .localhost, .test, .local, .home.arpa
and .internal, and private addresses. The server's certificate is for the
addresses that it listens on, and is renewed when it gets old.

The files of --cert are read again when they change: put a renewed certificate
there, and new connections get it. If it names an OCSP responder, its response
is stapled, and fetched anew in good time. If there are several certificates,
each client gets the first one for its name and key types.

A folder without index.html is listed. Files and folders whose name begins with
a dot are neither served nor listed, but for .well-known. Links that lead out of
DIR, and special files, are not served either.

Name old versions and weak suites to use them. Dangerous ones also need
--legacy; the error says which word.

With --explain-failures DIR each failed handshake leaves a trace in DIR, by time
and address, which vitrine explain shows. It holds the bytes of both directions,
but no secrets. There are at most 500 files and 64 MiB; then the oldest of the
address that has most makes room. Guard them all the same: they hold names and
more.

With --inspect each client finds the account of its own connection at
https://.../.vitrine: a page, or another form with ?format=json or ?format=text.
It shows every byte, key and decision, and JA3 and JA4 of its hello. Nobody sees
the account of another connection, but the page holds the secrets of this one.

Each connection is one line of log on standard error, with the duration of its
handshake. SIGINT and SIGTERM stop the server when the requests in flight are
done, after ` + shutdownGrace.String() + ` at the latest.`,
		Example: `  vitrine serve
  vitrine serve public --listen :8443 --name box.local
  vitrine serve --cert chain.pem --key key.pem \
    --client-auth require --client-ca clients.pem
  vitrine serve --psk jane:00112233445566778899aabbccddeeff
  vitrine serve --explain-failures failures
  vitrine serve --inspect
  vitrine serve --min tls1.0 --session-ids --renegotiate client`,
		Args: flags.Arguments(0, 1, "vitrine serve public"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, append(args, ".")[0]) },
	}
	o.register(cmd)
	return cmd
}

func (o *options) register(cmd *cobra.Command) {
	set := cmd.Flags()
	set.SortFlags = false
	set.StringVar(&o.listen, "listen", "127.0.0.1:8443", "`address` and port; a port alone listens on 127.0.0.1 only, and port 0 is any free one")
	o.identity.Register(cmd)
	set.StringSliceVar(&o.names, "name", nil, "further `names` and addresses for the certificate of the development authority, like box.local")
	set.StringVar(&o.caDir, "ca-dir", "", "`folder` of the development authority (default: vitrine in your configuration folder)")
	set.StringVar(&o.clientAuth, "client-auth", "none", "ask clients for a certificate, a `mode`: none, request (verified if there is one) or require")
	set.StringVar(&o.clientCA, "client-ca", "", "authorities of the clients' certificates, a PEM `file`")
	o.revoked.Register(cmd, "a client's")
	set.StringArrayVar(&o.delegated, "delegated-credential", nil, "a key in this `file`, which 'vitrine cert delegate' makes, signs for clients that take it (RFC 9345); it is read again when it changes")
	set.BoolVar(&o.rawKey, "raw-public-key", false, "show clients that take it the key of the certificate alone (RFC 7250)")
	set.BoolVar(&o.sessionIDs, "session-ids", false, "keep sessions up to TLS 1.2 in memory too, for clients without tickets")
	set.BoolVar(&o.earlyData, "early-data", false, "take requests that come together with the ClientHello (0-RTT), each once: GET and HEAD are served at once, others after the handshake")
	set.BoolVar(&o.accessLog, "access-log", false, "write a line for each request too")
	set.StringVar(&o.failures, "explain-failures", "", "keep a trace of each failed handshake in this `folder`, without secrets: at most 500 files and 64 MiB; vitrine explain FILE shows one")
	set.BoolVar(&o.inspect, "inspect", false, "show each client the account of its own connection at "+inspectPath+"; it holds that connection's secrets, so use this for trying out only")
	set.BoolVar(&o.json, "json", false, "write the log to standard output, an object of JSON on each line")
	flags.CompleteFrom(cmd, "client-auth", []string{"none", "request", "require"})
	o.tls.Register(cmd, flags.ServerSide)
}

func (o *options) run(cmd *cobra.Command, dir string) error {
	files, err := openFiles(dir)
	if err != nil {
		return err
	}
	defer files.Close()
	config := &tls.Config{}
	if err := cmp.Or(o.configure(cmd, config), o.revoked.Apply(cmd, config)); err != nil {
		return err
	}
	if log, err := flags.KeyLog(); err != nil {
		return err
	} else if log != nil {
		defer log.Close()
		config.KeyLogWriter = log
	}
	folder, err := o.openFailures()
	if err != nil {
		return err
	}
	l, err := o.open(cmd)
	if err != nil {
		return err
	}
	ca, pairs, err := o.identify(config, l.Addr())
	var warnings []string
	var credentials *delegates
	if err == nil && len(pairs) > 0 {
		warnings, err = o.rehearseAll(config, pairs)
	}
	if err == nil {
		credentials, err = o.delegates(config)
	}
	if err != nil {
		l.Close()
		return err
	}
	// Before the announcement: its reader may send a signal at once.
	ctx, restore := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer restore()
	at := authority.Hosts(l.Addr(), o.names)
	log := o.start(cmd, dir, authority.URLs(l.Addr(), at, config.Certificates), ca)
	warn(log, at, config.Certificates, ca, warnings)
	for _, c := range o.authorities {
		warnOf(log, "an authority of --client-ca ", c, false)
	}
	stop, err := follow(config, pairs, credentials, log)
	if err != nil {
		l.Close()
		return err
	}
	defer stop()
	srv := o.server(config, files, log)
	if folder != nil {
		defer keepFailures(folder, log, srv)()
	}
	return serveUntil(ctx, restore, l, log, srv)
}

// openFailures opens the folder of --explain-failures, nil where it was not given.
func (o *options) openFailures() (*folder.Folder, error) {
	switch {
	case o.failures == "":
		return nil, nil
	case o.inspect:
		return nil, report.Usagef("--inspect and --explain-failures cannot be used together: both listen to each connection; choose one")
	}
	in, err := folder.Open(o.failures, 0, 0)
	if err != nil {
		return nil, report.Usagef("--explain-failures: %v", err)
	}
	return in, nil
}

// open listens where --listen says.
func (o *options) open(cmd *cobra.Command) (net.Listener, error) {
	where, err := flags.ParseListen(o.listen)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", where)
	if err == nil {
		return l, nil
	}
	f := report.Describe(err, wire.Server, nil)
	if o.json {
		return nil, report.JSONError(cmd.OutOrStdout(), "", f, err)
	}
	f.Write(cmd.ErrOrStderr(), "vitrine: ")
	return nil, report.Reported(err)
}

// server is what serves the files.
func (o *options) server(config *tls.Config, files fs.FS, log *slog.Logger) *httptls.Server {
	handler := filesOnly(http.FileServerFS(files))
	if o.inspect {
		handler = o.inspector.before(handler)
	}
	if o.accessLog {
		handler = logRequests(log, handler)
	}
	srv := &httptls.Server{
		HTTP: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: 10 * time.Second,
			IdleTimeout:       2 * time.Minute,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		},
		TLS:         config,
		OnHandshake: func(h httptls.Handshake) { o.afterHandshake(log, h) },
	}
	if o.inspect {
		o.inspector.attach(srv)
		log.Warn(inspectPath + " shows each client the account of its own connection, with its secrets: --inspect is for trying out")
	}
	return srv
}

// configure sets all but the certificate.
func (o *options) configure(cmd *cobra.Command, config *tls.Config) error {
	if err := o.tls.Apply(config); err != nil {
		return err
	}
	if !o.tls.SuitsHTTP2() {
		config.NextProtos = []string{"http/1.1", "http/1.0"}
	}
	if o.sessionIDs && o.tls.Low >= wire.TLS13 {
		return report.Usagef("--session-ids is for TLS 1.2 and before; leave --min out")
	}
	if o.earlyData {
		if err := takeEarly(config); err != nil {
			return err
		}
	}
	if o.rawKey {
		config.RawPublicKeys.Show = []tls.CertificateType{tls.CertificateTypeRawPublicKey, tls.CertificateTypeX509}
	}
	if o.sessionIDs {
		config.Resumption.Store = session.NewMemory(storeBudget)
	}
	mode, ok := flags.ClientAuthModes[o.clientAuth]
	switch {
	case !ok:
		return report.Usagef("--client-auth %q is not a mode; choose none, request or require", o.clientAuth)
	case mode == tls.NoClientCert && o.clientCA != "":
		return report.Usagef("--client-ca does nothing without --client-auth request or require")
	case mode == tls.NoClientCert && o.revoked.Given(cmd):
		return report.Usagef("--revocation and --crl are for client certificates: they do nothing without --client-auth request or require")
	case mode == tls.NoClientCert && o.tls.PostHandshakeAuth:
		return report.Usagef("--post-handshake-auth does nothing without --client-auth request or require")
	case mode == tls.NoClientCert:
		return nil
	case o.clientCA == "":
		return report.Usagef("--client-auth %s needs --client-ca FILE, the authorities to accept", o.clientAuth)
	}
	if err := o.tls.MayAsk(); err != nil {
		return err
	}
	var err error
	if o.authorities, err = flags.Authorities("client-ca", o.clientCA); err != nil {
		return err
	}
	config.ClientAuth, config.ClientCAs = mode, x509.NewCertPool()
	for _, c := range o.authorities {
		config.ClientCAs.AddCert(c)
	}
	if o.tls.PostHandshakeAuth {
		askLater(config)
	}
	return nil
}

// earlyBytes is how much early data a connection may bring: a request that is safe to serve.
const earlyBytes = 16 << 10

// takeEarly has requests of HTTP/1.1 be taken as early data.
func takeEarly(config *tls.Config) error {
	if config.MaxVersion != 0 && config.MaxVersion < tls.VersionTLS13 {
		return report.Usagef("--early-data is for TLS 1.3; leave --max out")
	}
	if len(config.NextProtos) == 0 {
		config.NextProtos = []string{"h2", "http/1.1", "http/1.0"}
	}
	config.EarlyData = tls.EarlyData{MaxBytes: earlyBytes, Protocols: []string{"http/1.1", ""}, Replay: session.SingleUse(session.NewMemory(storeBudget))}
	return nil
}

// serveUntil serves until ctx is done, by a signal, or an error. It calls restore
// first then, so that a second signal kills the process, as signals do.
func serveUntil(ctx context.Context, restore func(), l net.Listener, log *slog.Logger, srv *httptls.Server) error {
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		restore()
		log.Info("stopping")
		grace, cancel := context.WithTimeout(context.Background(), shutdownGrace)
		defer cancel()
		err := srv.Shutdown(grace)
		if errors.Is(err, context.DeadlineExceeded) {
			log.Warn("requests were still running after " + shutdownGrace.String() + ", and were ended")
			err = srv.Close()
		}
		stopped <- err
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}
