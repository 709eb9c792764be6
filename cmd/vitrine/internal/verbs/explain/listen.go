package explain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/authority"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

const (
	// mostClients is how many connections of clients are there at a time; more wait.
	mostClients = 16
	// mostExplained is how many are explained by one call.
	mostExplained = 1000
)

// listening are the flags that only --listen has.
type listening struct {
	at    string
	count int
	names []string
	caDir string
}

func (l *listening) register(cmd *cobra.Command) {
	set := cmd.Flags()
	set.StringVar(&l.at, "listen", "", "wait at this `address` for a client, and explain its connection; a port alone listens on 127.0.0.1 only, and port 0 is any free one")
	set.IntVar(&l.count, "count", 1, "with --listen, explain `N` connections, each as it ends")
	set.StringSliceVar(&l.names, "name", nil, "with --listen, further `names` and addresses for the certificate of the development authority")
	set.StringVar(&l.caDir, "ca-dir", "", "with --listen, the `folder` of the development authority (default: vitrine in your configuration folder)")
}

// notListening are the flags that mean nothing for a server of --listen.
var notListening = []string{"sni", "insecure", "revocation", "crl", "starttls", "connect-to", "proxy", "ipv4", "ipv6", "fail", "conn", "resume", "early-data", "dh-min", "max-fragment-length",
	"all", "data", "filter", "keylog", "list"}

// checkListen finds what is wrong with the flags where --listen is given.
func (o *options) checkListen(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return report.Usagef("--listen waits for a client, and %s is a server or a file; leave one out", args[0])
	}
	for _, flag := range notListening {
		if cmd.Flags().Changed(flag) {
			return report.Usagef("--%s does nothing with --listen; leave it out", flag)
		}
	}
	switch {
	case o.listening.count < 1 || o.listening.count > mostExplained:
		return report.Usagef("--count %d is not possible; choose from 1 to %d", o.listening.count, mostExplained)
	case o.identity.Cert != "" && len(o.listening.names) > 0:
		return report.Usagef("--name is for a certificate of the development authority; that of --cert has its own names")
	case o.ca != "" && !o.clientAuth:
		return report.Usagef("--ca verifies the certificates of clients here; add --client-auth")
	}
	var err error
	if o.content, o.sends, err = o.send.Load(cmd); err != nil {
		return err
	}
	return errors.Join(o.timeout.Check(), o.alpn.Check())
}

// listenConfig is the server's configuration, but for its certificate.
func (o *options) listenConfig() (*tls.Config, error) {
	config := &tls.Config{NextProtos: o.alpn.Protocols}
	o.tls.As(flags.ServerSide)
	if err := o.tls.Apply(config); err != nil {
		return nil, err
	}
	if !o.clientAuth {
		return config, nil
	}
	if err := o.tls.MayAsk(); err != nil {
		return nil, err
	}
	config.ClientAuth = tls.RequestClientCert
	if o.ca == "" {
		return config, nil
	}
	var err error
	config.ClientAuth = tls.RequireAndVerifyClientCert
	config.ClientCAs, err = flags.Pool("ca", o.ca)
	return config, err
}

// lookout waits for clients, and explains the connection of each.
type lookout struct {
	options  *options
	config   *tls.Config
	listener net.Listener
	further  func(*tls.Conn, context.Context) error
	running  sync.WaitGroup
}

// visit is the connection of a client that has ended; failure is why its handshake failed.
type visit struct {
	subject
	failure error
}

// listen waits for the clients that --count says, and explains their connections. What
// failed is the error of the first.
func (o *options) listen(cmd *cobra.Command, args []string) error {
	if err := o.checkListen(cmd, args); err != nil {
		return err
	}
	config, err := o.listenConfig()
	if err != nil {
		return err
	}
	where, err := flags.ParseListen(o.listening.at)
	if err != nil {
		return err
	}
	if log, err := flags.KeyLog(); err != nil {
		return err
	} else if log != nil {
		defer log.Close()
		config.KeyLogWriter = log
	}
	l, err := net.Listen("tcp", where)
	if err != nil {
		return err
	}
	defer l.Close()
	ca, err := o.identify(config, l.Addr())
	if err != nil {
		return err
	}
	ctx, restore := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer restore()
	o.announce(cmd.ErrOrStderr(), authority.URLs(l.Addr(), authority.Hosts(l.Addr(), o.listening.names), config.Certificates), ca)
	w := &lookout{options: o, config: config, listener: l, further: o.furtherHandshake()}
	return w.explainAll(ctx, &sink{options: o, cmd: cmd, single: o.listening.count == 1})
}

// identify gives the server the certificate of --cert, or one of the development
// authority, which it returns. A server whose suites have none needs none.
func (o *options) identify(config *tls.Config, addr net.Addr) (*authority.Authority, error) {
	cert, given, err := o.identity.Load()
	switch keys := o.tls.CertificateKeys(); {
	case err != nil:
		return nil, err
	case given:
		config.Certificates = []tls.Certificate{cert}
		return nil, nil
	case len(keys) == 0:
		return nil, nil
	default:
		ca, err := authority.Open(o.listening.caDir)
		if err != nil {
			return nil, err
		}
		config.Certificates, err = ca.Certify(keys, addr, o.listening.names)
		return ca, err
	}
}

// announce says where to connect to, and what to trust.
func (o *options) announce(w io.Writer, urls []string, ca *authority.Authority) {
	clients := "a client"
	if o.listening.count > 1 {
		clients = fmt.Sprintf("%d connections", o.listening.count)
	}
	fmt.Fprintf(w, "waiting for %s on %s\n", clients, urls[0])
	if ca == nil {
		return
	}
	if ca.New {
		fmt.Fprintf(w, "  new    this development authority was made just now; clients must trust it once, like\n         %s\n", ca.TrustCommand())
	}
	fmt.Fprintf(w, "  try    curl --cacert %s %s\n", authority.ShellQuote(ca.File()), urls[0])
}

// explainAll shows connections as they end, until there were as many as --count says or
// ctx ends: those that are under way then end with it, and are shown. A connection on which
// nothing was said does not count.
func (w *lookout) explainAll(ctx context.Context, out *sink) (err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	context.AfterFunc(ctx, func() { w.listener.Close() })
	visits := make(chan visit)
	go func() {
		w.accept(ctx, visits)
		w.running.Wait()
		close(visits)
	}()
	var failed error // to show what there is
	left := w.options.listening.count
	for v := range visits {
		if left == 0 || failed != nil {
			continue
		}
		failed = out.add(v.subject)
		if err == nil && ctx.Err() == nil {
			err = w.options.judge(v)
		}
		if left--; left == 0 || failed != nil {
			stop()
		}
	}
	return cmp.Or(failed, out.end(), err)
}

// judge is the error of a connection: why it failed, or what does not agree.
func (o *options) judge(v visit) error {
	if o.diagnosing {
		return o.diagnosed(v.subject)
	}
	err := v.failure
	if err == nil {
		err = findings(v.account)
	}
	if err != nil && o.toStdout() {
		return report.Reported(err)
	}
	return err
}

// accept explains the connection of each client, until the listener is closed.
func (w *lookout) accept(ctx context.Context, visits chan<- visit) {
	room := make(chan struct{}, mostClients)
	for {
		room <- struct{}{}
		raw, err := w.listener.Accept()
		if err != nil {
			return
		}
		w.running.Go(func() {
			defer func() { <-room }()
			v := w.explain(ctx, raw)
			if len(v.account.Events) > 0 {
				visits <- v
			}
		})
	}
}

// explain answers one client, and returns the account of its connection.
func (w *lookout) explain(ctx context.Context, raw net.Conn) visit {
	defer raw.Close()
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	ctx, cancel := context.WithTimeout(ctx, w.options.timeout.Duration)
	defer cancel()
	collector := new(explain.Collector)
	config := w.config.Clone()
	config.Trace = collector.Hooks()
	conn := tls.Server(raw, config)
	about := explain.About{Target: raw.RemoteAddr().String(), TargetIs: "a client of this server"}
	err := conn.HandshakeContext(ctx)
	if err == nil {
		about.Sent, err = w.answer(ctx, conn, &about.Warnings)
		about.Trust = w.trust(conn.State(), &about.Warnings)
	} else {
		err = report.WhileShakingHands(err)
	}
	if err != nil {
		f := report.Describe(err, wire.Server, nil)
		about.Err, about.Advice = errors.New(f.Text), f.Advice
		if h, ok := errors.AsType[*tls.HandshakeError](err); ok && h.What != "" {
			about.Warnings = append(about.Warnings, terminal.Printable(offers(h)))
		}
	}
	one := subjectOf(collector, about)
	one.failure = err
	return visit{one, err}
}
