package certs

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/certstore"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/tls"
)

// Options are what certificates need beside their configuration.
type Options struct {
	// Report is told what becomes of certificates, by several goroutines; nil tells nobody.
	// What is one of package certstore's words, [Loaded], [Obtained], [ObtainFailed]
	// or [StoreFailed].
	Report func(event.Certificate)
	// Fetcher asks OCSP responders for what is stapled; nil staples nothing.
	Fetcher revocation.Fetcher
	// Development makes a certificate for names by the development authority; nil where
	// there is none.
	Development func(names []string) (tls.Certificate, error)
	// LoadPair reads a chain and a key in PEM in place of this process; nil for this process.
	LoadPair func(cert, key string) (tls.Certificate, error)
	// HTTPListener returns a listener for http-01 that this process got from another, by the address
	// that the configuration writes; nil, also as a function, for none. It is the Source's then.
	HTTPListener func(addr string) net.Listener
	// Interval is how often files are looked at beside what the system tells; 0 is a minute, and
	// [certstore.Interval] where it does not tell.
	Interval time.Duration

	renewCheck time.Duration // of tests
}

// What happens to certificates, beside what package certstore says. All but Loaded are of ACME.
const (
	Obtained     = "obtained"
	Loaded       = "loaded"        // for the first time in this process
	ObtainFailed = "obtain failed" // the one from before serves on; it is tried again
	StoreFailed  = "store failed"  // the folder cannot be written: nothing is renewed
)

// A Source serves certificates to a tls.Config. Its methods may be called by several
// goroutines at once.
type Source struct {
	store *certstore.Store // nil without files and development certificates
	watch *watcher         // nil where the system does not tell of changes
	acme  []*authority
	ctx   context.Context // of Open, until Close
	stop  context.CancelFunc
	once  sync.Once
	o     Options
}

// Open reads the files, which must all be good. What ACME is to bring comes with Obtain, until ctx
// ends or Close is called. An error names the certificate by its place
// in list, counted from 0.
func Open(ctx context.Context, list []config.Certificate, o Options) (*Source, error) {
	if len(list) == 0 {
		return nil, errors.New("no certificate is given")
	}
	ctx, stop := context.WithCancel(ctx)
	s := &Source{o: o, stop: stop}
	var pairs []certstore.Pair
	for i, c := range list {
		var err error
		if c.ACME != nil && c.Cert+c.Key+c.PKCS12 == "" && len(c.Development) == 0 {
			err = s.addACME(ctx, c.ACME)
		} else {
			var p certstore.Pair
			p, err = pairOf(c, o)
			pairs = append(pairs, p)
		}
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("certificates[%d]: %w", i, err)
		}
	}
	if err := s.openFiles(pairs); err != nil {
		s.Close()
		return nil, err
	}
	s.ctx = ctx
	return s, nil
}

// seldom is how often files are looked at of which the system tells: it does not of what other machines change.
const seldom = time.Minute

func (s *Source) openFiles(pairs []certstore.Pair) (err error) {
	if len(pairs) == 0 {
		return nil
	}
	var files []string
	for _, p := range pairs {
		if !p.NoFiles {
			files = append(files, p.Cert, p.Key)
		}
	}
	o := certstore.Options{Interval: s.o.Interval, Fetcher: s.o.Fetcher, Report: s.reportFile}
	if s.watch = watch(files); s.watch != nil {
		o.Changed = s.watch.changed
		if o.Interval == 0 && s.watch.whole {
			o.Interval = seldom
		}
	}
	s.store, err = certstore.Open(pairs, o)
	if err != nil {
		text := strings.TrimPrefix(err.Error(), "certstore: ")
		return fmt.Errorf("certificates: %s", text)
	}
	for i, leaf := range s.store.Leaves() {
		s.report(event.Certificate{Source: pairs[i].Cert, What: Loaded, Names: leaf.DNSNames, Until: leaf.NotAfter})
	}
	return nil
}

// Obtain reads what ACME has brought before, and begins to obtain the rest and to renew. It is called
// once, by the user that the folders of ACME are to belong to.
func (s *Source) Obtain() {
	for _, a := range s.acme {
		a.manage(s.ctx)
	}
}

// Run looks after files and staples until ctx ends.
func (s *Source) Run(ctx context.Context) {
	if s.store == nil {
		<-ctx.Done()
		return
	}
	s.store.Run(ctx)
}

// Reload reads all files again, as for SIGHUP. What is wrong is in the error, and the pair from
// before serves on in its place.
func (s *Source) Reload() error {
	if s.store == nil {
		return nil
	}
	return s.store.Reload()
}

// Close ends what Open has begun. Handshakes that are under way may still use s.
func (s *Source) Close() {
	s.once.Do(func() {
		s.stop()
		if s.watch != nil {
			s.watch.close()
		}
		for _, a := range s.acme {
			a.close()
		}
	})
}

// GetCertificate is for [tls.Config.GetCertificate]; see the documentation of the package.
func (s *Source) GetCertificate(info *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if s.store != nil {
		if cert := s.store.Named(info); cert != nil {
			return cert, nil
		}
	}
	name := hostOf(info.ServerName)
	for _, a := range s.acme {
		if cert := a.named(name); cert != nil && certstore.Fits(info, cert) {
			return cert, nil
		}
	}
	if s.store != nil {
		return s.store.GetCertificate(info)
	}
	var any *tls.Certificate
	for _, a := range s.acme {
		for _, other := range a.names {
			cert := a.named(other)
			if cert != nil && certstore.Fits(info, cert) {
				return cert, nil
			}
			if any == nil {
				any = cert
			}
		}
	}
	if any == nil {
		return nil, fmt.Errorf("there is no certificate yet: the ACME authority has not issued the one for %s", strings.Join(s.acme[0].names, ", "))
	}
	return any, nil
}

// NextProtos are the application protocols that an ACME authority asks for; they belong in no
// other configuration than that of [Source.GetConfigForClient].
func (s *Source) NextProtos() []string {
	if slices.ContainsFunc(s.acme, func(a *authority) bool { return a.alpn }) {
		return []string{ACMEProtocol}
	}
	return nil
}

func (s *Source) report(e event.Certificate) {
	if s.o.Report != nil {
		s.o.Report(e)
	}
}

func (s *Source) reportFile(e certstore.Event) {
	told := event.Certificate{Source: e.Pair.Cert, What: e.What, Err: e.Err}
	if e.Leaf != nil {
		told.Names, told.Until = e.Leaf.DNSNames, e.Leaf.NotAfter
	}
	s.report(told)
}

// hostOf is a server name as certificates have it.
func hostOf(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }
