package ca

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/internal/devca"
)

const (
	// maxRequest is plenty for one certificate, which takes about 100 bytes.
	maxRequest = 64 << 10
	// grace is how long requests in flight may still run after the signal.
	grace = 5 * time.Second
)

// Responder is what vitrine cert ca ocsp says when it is ready.
type Responder struct {
	// URL is where it listens.
	URL     string `json:"url"`
	Subject string `json:"subject"`
	// Expected is the URL that stands in the certificates, where it is another.
	Expected string `json:"expected,omitempty"`
}

func (r Responder) text() string {
	s := line("OCSP responder of %s on %s", r.Subject, r.URL)
	if r.Expected != "" {
		s += line("but its certificates say %s", r.Expected)
	}
	return s
}

type ocspOptions struct {
	common
	listen string
	valid  time.Duration
}

func newOCSP() *cobra.Command {
	o := &ocspOptions{}
	cmd := &cobra.Command{
		Use:   "ocsp --dir FOLDER",
		Short: "Run the OCSP responder, which hands out the CRLs too",
		Long: `Answer OCSP requests (RFC 6960) over HTTP about what the authority issued, by
GET and POST. A certificate of a week signs the answers, and its key is in
memory only. The record is read for each request: a revocation counts at once.

Below the URL are also the CRLs and the authorities' certificates, in DER, where
certificates say that they are: ` + devca.PathIssuerCRL + `, ` + devca.PathIssuer + `,
` + devca.PathRootCRL + ` and ` + devca.PathRoot + `. SIGINT and SIGTERM stop it.`,
		Example: `  vitrine cert ca ocsp --dir ca
  vitrine cert ca ocsp --dir ca --listen 8080 --valid 1h`,
		Args: flags.Arguments(0, 0, "vitrine cert ca ocsp --dir ca"),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	o.register(cmd)
	cmd.Flags().StringVar(&o.listen, "listen", "", "`address` and port; a port alone listens on 127.0.0.1 only, and port 0 is any free one (default: those in the certificates, else 127.0.0.1:8889)")
	cmd.Flags().DurationVar(&o.valid, "valid", 5*time.Minute, "how long an answer is good for, a `time` from 1m to 168h")
	cmd.Flags().Lookup("valid").DefValue = "5m"
	return cmd
}

func (o *ocspOptions) run(cmd *cobra.Command) error {
	if o.valid < time.Minute || o.valid > 7*24*time.Hour {
		return report.Usagef("--valid %v: give from 1m to 168h", o.valid)
	}
	ca, _, err := o.open()
	if err != nil {
		return err
	}
	record, err := ca.Record()
	if err != nil {
		return report.Usagef("--dir: %v", err)
	}
	where, err := o.address(record.URL)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", where)
	if err != nil {
		return err
	}
	// Before the announcement: its reader may send a signal at once.
	ctx, restore := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer restore()
	about := Responder{URL: "http://" + l.Addr().String(), Subject: ca.Cert.Subject.String()}
	if record.URL != "" && record.URL != about.URL {
		about.Expected = record.URL
	}
	if err := o.write(cmd.OutOrStdout(), about); err != nil {
		l.Close()
		return err
	}
	return serve(ctx, restore, l, &handler{ca, ca.Responder(o.valid), o.valid})
}

// address is where to listen: --listen, or the place that certificates name if it is
// on this machine's loopback interface.
func (o *ocspOptions) address(inCertificates string) (string, error) {
	switch u, err := url.Parse(inCertificates); {
	case o.listen != "":
		return flags.ParseListen(o.listen)
	case inCertificates == "" || err != nil:
		return strings.TrimPrefix(defaultURL, "http://"), nil
	case u.Port() == "":
		return net.JoinHostPort(u.Hostname(), "80"), nil
	default:
		return u.Host, nil
	}
}

func serve(ctx context.Context, restore func(), l net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: maxRequest}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		restore()
		limit, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		stopped <- srv.Shutdown(limit)
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// handler answers OCSP requests, and hands out what stands beside the responder. It is
// not an http.ServeMux, which would tidy up the slashes of a request in base64.
type handler struct {
	ca        *devca.CA
	responder *devca.Responder
	life      time.Duration
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	issuer := h.ca.Intermediate()
	if issuer == nil {
		issuer = h.ca.Cert
	}
	switch r.URL.Path {
	case devca.PathIssuer:
		sendCertificate(w, issuer)
	case devca.PathRoot:
		sendCertificate(w, h.ca.Cert)
	case devca.PathIssuerCRL:
		h.sendCRL(w, false)
	case devca.PathRootCRL:
		h.sendCRL(w, true)
	default:
		h.answer(w, r)
	}
}

// answer reads a request as RFC 6960 appendix A.1 has it in HTTP.
func (h *handler) answer(w http.ResponseWriter, r *http.Request) {
	var request []byte
	var err error
	switch r.Method {
	case http.MethodPost:
		request, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	case http.MethodGet:
		var path string
		if path, err = url.PathUnescape(strings.TrimPrefix(r.URL.EscapedPath(), "/")); err == nil {
			request, err = base64.StdEncoding.DecodeString(path)
		}
	default:
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "OCSP is asked by GET or POST", http.StatusMethodNotAllowed)
		return
	}
	if err != nil {
		http.Error(w, "this is not an OCSP request", http.StatusBadRequest)
		return
	}
	send(w, "application/ocsp-response", h.responder.Respond(request))
}

func (h *handler) sendCRL(w http.ResponseWriter, ofRoot bool) {
	der, err := h.ca.CRL(ofRoot, h.life)
	if err != nil {
		http.Error(w, "the record of the authority cannot be read", http.StatusInternalServerError)
		return
	}
	send(w, "application/pkix-crl", der)
}

func sendCertificate(w http.ResponseWriter, c *x509.Certificate) {
	send(w, "application/pkix-cert", c.Raw)
}

// send ignores an error: nobody is left to be told of it.
func send(w http.ResponseWriter, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(body)
}
