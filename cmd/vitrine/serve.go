package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/httptls"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// storeBudget is the room for --session-ids, in bytes.
const storeBudget = 16 << 20

// shutdownGrace is how long requests in flight may still run after the signal.
const shutdownGrace = 5 * time.Second

// serveOptions are the flags of vitrine serve.
type serveOptions struct {
	tls        tlsFlags
	identity   identityFlags
	listen     string
	caDir      string
	clientAuth string
	clientCA   string
	sessionIDs bool
}

// clientAuthModes are the values of --client-auth.
var clientAuthModes = map[string]tls.ClientAuthType{
	"none":    tls.NoClientCert,
	"request": tls.VerifyClientCertIfGiven,
	"require": tls.RequireAndVerifyClientCert,
}

func isClientAuthMode(s string) bool { _, ok := clientAuthModes[s]; return ok }

func newServe() *cobra.Command {
	o := &serveOptions{}
	cmd := &cobra.Command{
		Use:   "serve [DIR]",
		Short: "Serve a folder over HTTPS, with a certificate of its own",
		Long: `Serve the files of DIR (the current folder if none is given) over HTTPS, in
HTTP/1.1 and HTTP/2.

Without --cert a development authority is made at the first start and kept in
--ca-dir; ca.pem there is what clients have to trust, once. The authority can
certify names of this machine and private addresses only. The server's
certificate is renewed when it gets old.

A folder without index.html is listed. Files and folders whose name begins with
a dot are neither served nor listed, but for .well-known; links that lead out of
DIR are not followed.

Old versions and weak suites are possible for who names them. What is dangerous
needs a word of --legacy too: without it, the error says which.

Each connection is one line of log on standard error, with the duration of its
handshake. SIGINT and SIGTERM stop the server when the requests in flight are
done, after ` + shutdownGrace.String() + ` at the latest.`,
		Example: `  vitrine serve
  vitrine serve public --listen :8443
  vitrine serve --cert chain.pem --key key.pem \
    --client-auth require --client-ca clients.pem
  vitrine serve --psk jane:00112233445566778899aabbccddeeff
  vitrine serve --min tls1.0 --session-ids --renegotiate client`,
		Args: argument(0, 1, "vitrine serve public"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, append(args, ".")[0]) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8443", "`address` and port; port 0 is any free one")
	o.identity.register(cmd, "the server's")
	flags.StringVar(&o.caDir, "ca-dir", "", "`folder` of the development authority (default: vitrine in your configuration folder)")
	flags.StringVar(&o.clientAuth, "client-auth", "none", "client certificates, a `mode`: none, request (verified if there is one) or require")
	flags.StringVar(&o.clientCA, "client-ca", "", "authorities of the clients' certificates, a PEM `file`")
	flags.BoolVar(&o.sessionIDs, "session-ids", false, "keep sessions until TLS 1.2 in memory too, for clients without tickets")
	completeFrom(cmd, "client-auth", []string{"none", "request", "require"})
	o.tls.register(cmd, serverSide)
	return cmd
}

func (o *serveOptions) run(cmd *cobra.Command, dir string) error {
	files, err := openFiles(dir)
	if err != nil {
		return err
	}
	defer files.Close()
	config := &tls.Config{}
	if err := o.configure(config); err != nil {
		return err
	}
	if log, err := keyLog(); err != nil {
		return err
	} else if log != nil {
		defer log.Close()
		config.KeyLogWriter = log
	}
	if _, port, err := net.SplitHostPort(o.listen); err != nil || !isPort(port) {
		return usagef("--listen %q is not an address and a port, like 127.0.0.1:8443 or :8443", o.listen)
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		f := describeFailure(err, server, nil)
		f.write(cmd.ErrOrStderr(), "vitrine: ")
		return reportedError{err}
	}
	ca, err := o.identify(config, l.Addr())
	if err != nil {
		l.Close()
		return err
	}
	// Before the announcement: who reads it may send a signal at once.
	ctx, restore := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer restore()
	out := cmd.ErrOrStderr()
	o.announce(out, dir, serverURL(l.Addr(), config.Certificates), ca)
	log := slog.New(slog.NewTextHandler(out, nil))
	return serveUntil(ctx, restore, l, log, &httptls.Server{
		HTTP: &http.Server{
			Handler:           http.FileServerFS(files),
			ReadHeaderTimeout: 10 * time.Second,
			IdleTimeout:       2 * time.Minute,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		},
		TLS:         config,
		OnHandshake: func(h httptls.Handshake) { o.afterHandshake(log, h) },
	})
}

// isPort reports that s is the number of a port, or 0 for any.
func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// configure sets all but the certificate.
func (o *serveOptions) configure(config *tls.Config) error {
	if err := o.tls.apply(config); err != nil {
		return err
	}
	if !o.tls.suitsHTTP2() {
		config.NextProtos = []string{"http/1.1"}
	}
	if o.sessionIDs && o.tls.low >= wire.TLS13 {
		return usagef("--session-ids is for TLS 1.2 and before; leave --min out")
	}
	if o.sessionIDs {
		config.Resumption.Store = session.NewMemory(storeBudget)
	}
	mode, ok := clientAuthModes[o.clientAuth]
	switch {
	case !ok:
		return usagef("--client-auth %q is not a mode; choose none, request or require", o.clientAuth)
	case mode == tls.NoClientCert && o.clientCA != "":
		return usagef("--client-ca does nothing without --client-auth request or require")
	case mode == tls.NoClientCert && o.tls.postHandshakeAuth:
		return usagef("--post-handshake-auth does nothing without --client-auth request or require")
	case mode == tls.NoClientCert:
		return nil
	case o.clientCA == "":
		return usagef("--client-auth %s needs --client-ca FILE, the authorities to accept", o.clientAuth)
	}
	if err := o.tls.mayAsk(); err != nil {
		return err
	}
	pool, err := loadPool("client-ca", o.clientCA)
	config.ClientAuth, config.ClientCAs = mode, pool
	if o.tls.postHandshakeAuth {
		askLater(config)
	}
	return err
}

// identify sets the certificate: the one of --cert, or those of the development
// authority, which it returns. A server whose suites have none needs none.
func (o *serveOptions) identify(config *tls.Config, addr net.Addr) (*devca.CA, error) {
	cert, ok, err := o.identity.load()
	if err != nil {
		return nil, err
	}
	if ok {
		config.Certificates = []tls.Certificate{cert}
		return nil, nil
	}
	keys := o.tls.certificateKeys()
	if len(keys) == 0 {
		return nil, nil
	}
	ca, err := o.openAuthority()
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		cert, err := developmentCertificate(ca, key, addr)
		if err != nil {
			return nil, usagef("--ca-dir: %v", err)
		}
		config.Certificates = append(config.Certificates, cert)
	}
	return ca, nil
}

// openAuthority opens the development authority, which it makes at first.
func (o *serveOptions) openAuthority() (*devca.CA, error) {
	dir := o.caDir
	if dir == "" {
		base, err := os.UserConfigDir()
		if err != nil {
			return nil, usagef("there is no configuration folder (%v); say with --ca-dir where to keep the development authority", err)
		}
		dir = filepath.Join(base, "vitrine")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	ca, _, err := devca.Open(dir)
	if err != nil {
		return nil, usagef("--ca-dir: %v", err)
	}
	return ca, nil
}

// developmentCertificate is for all names of the server. The one that is kept
// has an ECDSA key; others, for old suites, are made anew each time.
func developmentCertificate(ca *devca.CA, key devca.KeyType, addr net.Addr) (tls.Certificate, error) {
	names := []string{"localhost", "127.0.0.1", "::1"}
	if host, err := os.Hostname(); err == nil {
		names = append(names, host)
	}
	if ip := addr.(*net.TCPAddr).IP; !ip.IsUnspecified() && !ip.IsLoopback() {
		names = append(names, ip.String())
	}
	if key == devca.ECDSA {
		return ca.ServerCertificate(names...)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return !ca.Permits(n) })
	return ca.Issue(devca.Leaf{Names: names, Key: key})
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

// announce says what is served, what to trust, and what to try.
func (o *serveOptions) announce(w io.Writer, dir, url string, ca *devca.CA) {
	fmt.Fprintf(w, "serving %q on %s\n", dir, paletteFor(w).bold(url))
	identity := ""
	if o.clientAuth == "require" {
		identity = "--cert FILE --key FILE "
	}
	at := strings.TrimSuffix(strings.TrimPrefix(url, "https://"), "/")
	switch {
	case !o.tls.lacksCertificate() && ca != nil:
		fmt.Fprintf(w, "  trust  %s\n  try    curl --cacert %s %s%s\n", ca.File(), shellQuote(ca.File()), identity, url)
	case !o.tls.lacksCertificate():
		fmt.Fprintf(w, "  try    curl %s%s\n", identity, url)
	case len(o.tls.psks) > 0:
		fmt.Fprintf(w, "  try    vitrine connect %s --psk IDENTITY:HEX\n", at)
	default:
		fmt.Fprintf(w, "  try    vitrine connect %s --insecure --suites %s --legacy anonymous\n", at, o.tls.listed[0])
	}
}
