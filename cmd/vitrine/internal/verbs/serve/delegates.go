package serve

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/tls"
)

// mostLeaves bounds for how many certificates credentials are kept bound: those of before
// are let go, as each that is renewed is another.
const mostLeaves = 16

// delegates are the credentials of --delegated-credential. Their files are read again when
// they change: a credential lives for some days at most. One belongs to one certificate,
// which may be renewed too, so each is bound to a certificate when that is used first.
type delegates struct {
	mu    sync.Mutex
	files []delegateFile
	bound map[string][]*tls.DelegatedCredential // by leaf; an entry for each file, nil for none
	certs map[string]*tls.Certificate
}

type delegateFile struct {
	name    string
	text    []byte
	at      time.Time
	size    int64
	trouble string // that was reported last
	ended   bool   // its end was reported
}

// delegates reads the files, of which each must be for a certificate of config and not have
// expired, and has config use them. nil where there are none.
func (o *options) delegates(config *tls.Config) (*delegates, error) {
	if len(o.delegated) == 0 {
		return nil, nil
	}
	if config.MaxVersion != 0 && config.MaxVersion < tls.VersionTLS13 {
		return nil, report.Usagef("--delegated-credential is for TLS 1.3, which is off; leave --max out")
	}
	if len(o.identity.Files()) == 0 {
		return nil, report.Usagef("--delegated-credential needs --cert: the certificate whose owner has delegated")
	}
	d := &delegates{bound: map[string][]*tls.DelegatedCredential{}, certs: map[string]*tls.Certificate{}}
	for _, name := range o.delegated {
		d.files = append(d.files, delegateFile{name: name})
	}
	for i := range config.Certificates {
		d.bind(&config.Certificates[i])
	}
	for i := range d.files {
		one, err := d.read(i)
		if err != nil {
			return nil, report.Usagef("--delegated-credential: %s: %s", d.files[i].name, report.Rule(err))
		}
		if !time.Now().Before(one.Expiry()) {
			return nil, report.Usagef("--delegated-credential: %s has expired at %s; make a new one with vitrine cert delegate", d.files[i].name, one.Expiry().UTC().Format(time.RFC3339))
		}
	}
	config.Delegation.Get = d.get
	return d, nil
}

// get is for Delegation.Get.
func (d *delegates) get(cert *tls.Certificate) (list []*tls.DelegatedCredential) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, one := range d.bind(cert) {
		if one != nil {
			list = append(list, one)
		}
	}
	return list
}

// bind finds what is for cert. The lock is held, or nobody else is there yet.
func (d *delegates) bind(cert *tls.Certificate) []*tls.DelegatedCredential {
	if len(cert.Certificate) == 0 {
		return nil
	}
	leaf := string(cert.Certificate[0])
	if all, ok := d.bound[leaf]; ok {
		return all
	}
	if len(d.bound) >= mostLeaves {
		clear(d.bound)
		clear(d.certs)
	}
	all := make([]*tls.DelegatedCredential, len(d.files))
	for i := range d.files {
		all[i], _ = tls.ParseDelegatedCredential(cert, d.files[i].text) // it may be for another certificate
	}
	d.bound[leaf], d.certs[leaf] = all, cert
	return all
}

// read reads a file again, and takes what is in it for each certificate that it fits. It
// errs where it fits none.
func (d *delegates) read(i int) (taken *tls.DelegatedCredential, err error) {
	f := &d.files[i]
	info, err := os.Stat(f.name)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(f.name)
	if err != nil {
		return nil, err
	}
	f.at, f.size, f.text, f.ended = info.ModTime(), info.Size(), text, false
	err = errors.New("it is for none of the certificates")
	for leaf, all := range d.bound {
		one, failed := tls.ParseDelegatedCredential(d.certs[leaf], text)
		if failed != nil {
			err = failed
			continue
		}
		all[i], taken = one, one
	}
	if taken != nil {
		return taken, nil
	}
	return nil, err
}

// watch looks at the files until stop is called. d may be nil.
func (d *delegates) watch(log *slog.Logger) (stop func()) {
	if d == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(lookEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				d.look(log)
			}
		}
	}()
	return func() { cancel(); <-done }
}

// look reads what has changed, or could not be taken before, and says once what becomes of it.
func (d *delegates) look(log *slog.Logger) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.files {
		f := &d.files[i]
		info, err := os.Stat(f.name)
		if err == nil && f.trouble == "" && info.Size() == f.size && info.ModTime().Equal(f.at) {
			d.expired(i, log)
			continue
		}
		one, err := d.read(i)
		if err == nil {
			f.trouble = ""
			log.Info("delegated credential reloaded", slog.String("file", f.name), slog.Time("expires", one.Expiry()))
			continue
		}
		if words := report.Rule(err); words != f.trouble {
			f.trouble = words
			log.Warn("delegated credential not reloaded: the one from before serves on until it ends", slog.String("file", f.name), slog.String("failure", words))
		}
		d.expired(i, log)
	}
}

// expired says once that a credential has ended: clients get the certificate's own key.
func (d *delegates) expired(i int, log *slog.Logger) {
	f := &d.files[i]
	if f.ended {
		return
	}
	var last time.Time
	for _, all := range d.bound {
		if all[i] != nil && all[i].Expiry().After(last) {
			last = all[i].Expiry()
		}
	}
	if !last.IsZero() && !time.Now().Before(last) {
		f.ended = true
		log.Warn("the delegated credential has expired, and the certificate's own key signs; make a new one with vitrine cert delegate", slog.String("file", f.name))
	}
}
