package certstore

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/tls"
)

// Interval is how often files are looked at where no time is given.
const Interval = 10 * time.Second

// Pair are the files of one certificate with its chain, leaf first, and of its private
// key, both in PEM. They may be the same file.
type Pair struct {
	Cert, Key string
	// Load brings the pair where it is anything but PEM; nil reads the files. It is called
	// again when one of the files changes.
	Load func() (tls.Certificate, error)
	// NoFiles says that Cert and Key name no files. Load is called again as the certificate
	// ages.
	NoFiles bool
}

// Options are what a [Store] does beside serving files.
type Options struct {
	// Interval is how often the files are looked at; 0 for [Interval].
	Interval time.Duration
	// Changed has [Store.Run] look at the files at once for each value that comes; nil for
	// never. It is for programs that watch the files.
	Changed <-chan struct{}
	// Fetcher asks OCSP responders for what is stapled; nil staples nothing.
	Fetcher revocation.Fetcher
	// Report is told of changes and failures, by the goroutine of [Store.Run]; nil tells
	// nobody.
	Report func(Event)
	// Now is the clock; nil for time.Now.
	Now func() time.Time
}

// What happens to a certificate.
const (
	Reloaded     = "reloaded"
	ReloadFailed = "reload failed" // the pair from before serves on
	Stapled      = "stapled"
	StapleFailed = "staple failed" // the last good response serves on while it holds
	Revoked      = "revoked"       // says its authority; nothing is stapled
)

// Event is something that an operator wants to know.
type Event struct {
	Pair Pair
	// What happened: [Reloaded], [ReloadFailed], [Stapled], [StapleFailed] or [Revoked].
	What string
	// Err is why it failed; nil where it did not.
	Err error
	// Leaf is the certificate that it is about.
	Leaf *x509.Certificate
}

// A Store serves certificates to a tls.Config. Its methods may be called by several
// goroutines at once, [Store.Run] by one.
type Store struct {
	o     Options
	mutex sync.Mutex // for pairs: Look and Reload
	pairs []*held
	// byName is what GetCertificate looks at. It is replaced as a whole.
	byName atomic.Pointer[catalogue]
}

// Open reads every pair. There must be at least one, and all must be good.
func Open(pairs []Pair, o Options) (*Store, error) {
	if len(pairs) == 0 {
		return nil, errors.New("certstore: no certificate is given")
	}
	if o.Interval == 0 {
		o.Interval = Interval
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Store{o: o}
	for _, p := range pairs {
		h := &held{Pair: p, load: tls.LoadX509KeyPair}
		if err := h.read(o.Now()); err != nil {
			return nil, fmt.Errorf("certstore: %w", err)
		}
		s.pairs = append(s.pairs, h)
	}
	s.publish()
	return s, nil
}

// Run looks after the files and the staples. It returns when ctx ends.
func (s *Store) Run(ctx context.Context) {
	tick := time.NewTicker(s.o.Interval)
	defer tick.Stop()
	for {
		s.Look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.o.Changed:
		}
	}
}

// Look does once what Run does again and again: it rereads files that have changed, and
// asks for staples that are due. A server that calls it before its first connection has
// staples for that already.
func (s *Store) Look(ctx context.Context) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	changed := false
	var taken []*held // told of once they are served, which is after their staples have come
	for _, h := range s.pairs {
		switch took, err := h.reread(s.o.Now()); {
		case err != nil:
			s.report(h, ReloadFailed, err)
		case took:
			changed, taken = true, append(taken, h)
		}
		if s.o.Fetcher != nil && h.restaple(ctx, s.o) {
			changed = true
		}
	}
	if changed {
		s.publish()
	}
	for _, h := range taken {
		s.report(h, Reloaded, nil)
	}
}

// Reload reads every pair again, whether or not its files look as before. A pair that is
// not good is in the error, and its old one serves on; the others are taken.
func (s *Store) Reload() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var all []error
	var taken []*held
	for _, h := range s.pairs {
		was, staple := h.cert, h.staple
		err := h.read(s.o.Now())
		switch {
		case err != nil:
			h.trouble = err.Error()
			s.report(h, ReloadFailed, err)
			all = append(all, err)
		case was.Leaf.Equal(h.cert.Leaf): // its staple holds on
			h.staple = staple
			h.put(was.OCSPStaple)
		default:
			taken = append(taken, h)
		}
	}
	s.publish()
	for _, h := range taken {
		s.report(h, Reloaded, nil)
	}
	return errors.Join(all...)
}

// Leaves are the certificates that are served, in the order of the pairs.
func (s *Store) Leaves() (leaves []*x509.Certificate) {
	for _, cert := range s.byName.Load().all {
		leaves = append(leaves, cert.Leaf)
	}
	return leaves
}

func (s *Store) report(h *held, what string, err error) {
	s.o.tell(Event{Pair: h.Pair, What: what, Err: err, Leaf: h.cert.Leaf})
}

func (o *Options) tell(e Event) {
	if o.Report != nil {
		o.Report(e)
	}
}

// catalogue is every certificate by the names that it is for, in the order of the pairs.
type catalogue struct {
	all    []*tls.Certificate
	byName map[string][]*tls.Certificate
}

func (s *Store) publish() {
	c := &catalogue{byName: map[string][]*tls.Certificate{}}
	for _, h := range s.pairs {
		c.all = append(c.all, h.cert)
		for _, name := range h.cert.Leaf.DNSNames {
			name = strings.ToLower(name)
			c.byName[name] = append(c.byName[name], h.cert)
		}
	}
	s.byName.Store(c)
}

// GetCertificate is for [tls.Config.GetCertificate]. It takes the first certificate for the
// client's name that the client can use. If none is for that name, it takes the first of all
// that the client can use. If there is none either, it takes the first, so that the handshake
// says what was missing.
func (s *Store) GetCertificate(info *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if cert := s.Named(info); cert != nil {
		return cert, nil
	}
	c := s.byName.Load()
	for _, cert := range c.all {
		if Fits(info, cert) {
			return cert, nil
		}
	}
	return c.all[0], nil
}

// Named is the first certificate for the name that the client asks for with which the
// client can do; nil where there is none.
func (s *Store) Named(info *tls.ClientHelloInfo) *tls.Certificate {
	c := s.byName.Load()
	name := strings.ToLower(strings.TrimSuffix(info.ServerName, "."))
	_, parent, _ := strings.Cut(name, ".")
	for _, candidates := range [][]*tls.Certificate{c.byName[name], c.byName["*."+parent]} {
		for _, cert := range candidates {
			if Fits(info, cert) {
				return cert
			}
		}
	}
	return nil
}

// Fits reports whether the client can do with the certificate's key and its own signatures.
// It does not look at names.
func Fits(info *tls.ClientHelloInfo, cert *tls.Certificate) bool {
	nameless := *info
	nameless.ServerName = ""
	return nameless.SupportsCertificate(cert) == nil
}
