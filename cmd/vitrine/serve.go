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
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/httptls"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

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

Each connection is one line of log on standard error, with the duration of its
handshake. SIGINT and SIGTERM stop the server when the requests in flight are
done, after ` + shutdownGrace.String() + ` at the latest.`,
		Example: `  vitrine serve
  vitrine serve public --listen :8443
  vitrine serve --cert chain.pem --key key.pem \
    --client-auth require --client-ca clients.pem`,
		Args: argument(0, 1, "vitrine serve public"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, append(args, ".")[0]) },
	}
	o.tls.register(cmd)
	o.identity.register(cmd, "the server's")
	flags := cmd.Flags()
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8443", "address and port; port 0 is any free one")
	flags.StringVar(&o.caDir, "ca-dir", "", "folder of the development authority (default: vitrine in your configuration folder)")
	flags.StringVar(&o.clientAuth, "client-auth", "none", "client certificates: none, request (verified if there is one) or require")
	flags.StringVar(&o.clientCA, "client-ca", "", "authorities of the clients' certificates, a PEM file")
	completeFrom(cmd, "client-auth", []string{"none", "request", "require"})
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
	announce(out, dir, serverURL(l.Addr(), config.Certificates[0]), ca, config.ClientAuth)
	log := slog.New(slog.NewTextHandler(out, nil))
	return serveUntil(ctx, restore, l, log, &httptls.Server{
		HTTP: &http.Server{
			Handler:           http.FileServerFS(files),
			ReadHeaderTimeout: 10 * time.Second,
			IdleTimeout:       2 * time.Minute,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		},
		TLS:         config,
		OnHandshake: func(h httptls.Handshake) { logHandshake(log, h) },
	})
}

// configure sets all but the certificate.
func (o *serveOptions) configure(config *tls.Config) error {
	if err := o.tls.apply(config); err != nil {
		return err
	}
	mode, ok := clientAuthModes[o.clientAuth]
	switch {
	case !ok:
		return usagef("--client-auth %q is not a mode; choose none, request or require", o.clientAuth)
	case mode == tls.NoClientCert && o.clientCA != "":
		return usagef("--client-ca does nothing without --client-auth request or require")
	case mode == tls.NoClientCert:
		return nil
	case o.clientCA == "":
		return usagef("--client-auth %s needs --client-ca FILE, the authorities to accept", o.clientAuth)
	}
	pool, err := loadPool("client-ca", o.clientCA)
	config.ClientAuth, config.ClientCAs = mode, pool
	return err
}

// identify sets the certificate: the one of --cert, or one from the development
// authority, which it returns.
func (o *serveOptions) identify(config *tls.Config, addr net.Addr) (*devca.CA, error) {
	cert, ok, err := o.identity.load()
	if err != nil {
		return nil, err
	}
	var ca *devca.CA
	if !ok {
		if ca, cert, err = o.developmentCertificate(addr); err != nil {
			return nil, err
		}
	}
	config.Certificates = []tls.Certificate{cert}
	return ca, nil
}

func (o *serveOptions) developmentCertificate(addr net.Addr) (*devca.CA, tls.Certificate, error) {
	dir := o.caDir
	if dir == "" {
		base, err := os.UserConfigDir()
		if err != nil {
			return nil, tls.Certificate{}, usagef("there is no configuration folder (%v); say with --ca-dir where to keep the development authority", err)
		}
		dir = filepath.Join(base, "vitrine")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, tls.Certificate{}, err
	}
	ca, _, err := devca.Open(dir)
	if err != nil {
		return nil, tls.Certificate{}, usagef("--ca-dir: %v", err)
	}
	names := []string{"localhost", "127.0.0.1", "::1"}
	if host, err := os.Hostname(); err == nil {
		names = append(names, host)
	}
	if ip := addr.(*net.TCPAddr).IP; !ip.IsUnspecified() && !ip.IsLoopback() {
		names = append(names, ip.String())
	}
	cert, err := ca.ServerCertificate(names...)
	if err != nil {
		return nil, tls.Certificate{}, usagef("--ca-dir: %v", err)
	}
	return ca, cert, nil
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
func announce(w io.Writer, dir, url string, ca *devca.CA, auth tls.ClientAuthType) {
	p := paletteFor(w)
	identity := ""
	if auth == tls.RequireAndVerifyClientCert {
		identity = "--cert FILE --key FILE "
	}
	fmt.Fprintf(w, "serving %q on %s\n", dir, p.bold(url))
	if ca == nil {
		fmt.Fprintf(w, "  try    curl %s%s\n", identity, url)
		return
	}
	fmt.Fprintf(w, "  trust  %s\n  try    curl --cacert %s %s%s\n", ca.File(), shellQuote(ca.File()), identity, url)
}
