package proxy

import (
	"cmp"
	"context"
	"io"
	"net"
	"os"
	"strings"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/authority"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/keyprocess"
	"github.com/vitrine-tls/vitrine/tls"
)

// elsewhere is the process that holds the keys, or none.
type elsewhere struct{ *keyprocess.Process }

// keysElsewhere starts that process, where process.keys asks for one.
func keysElsewhere(c *config.Config, w io.Writer, say func(string)) (elsewhere, error) {
	if c.Process.Keys != "process" {
		return elsewhere{}, nil
	}
	if err := onlyPEM(c); err != nil {
		return elsewhere{}, err
	}
	self, err := os.Executable()
	if err != nil {
		return elsewhere{}, err
	}
	keys, err := keyprocess.Start(keyprocess.Options{Command: []string{self, "proxy", "keys"}, Pairs: pairs(c), Sandbox: c.Process.Sandbox, Stderr: w})
	if err != nil {
		return elsewhere{}, err
	}
	if said := keys.Report(); len(said) > 0 {
		say("the key process is hardened: " + strings.Join(said, "; "))
	}
	return elsewhere{keys}, nil
}

// pairs are the certificates with keys that c names, as they are loaded later.
func pairs(c *config.Config) (list []keyprocess.Pair) {
	add := func(cert, key string) {
		if cert != "" {
			list = append(list, keyprocess.Pair{Cert: cert, Key: cmp.Or(key, cert)})
		}
	}
	for _, l := range c.Listeners {
		if l.TLS == nil {
			continue
		}
		for _, certificate := range l.TLS.Certificates {
			add(certificate.Cert, certificate.Key)
		}
	}
	for _, t := range c.Targets {
		if t.TLS != nil {
			add(t.TLS.Cert, t.TLS.Key)
		}
	}
	return list
}

// load reads a chain and a key there; nil where there is no such process.
func (e elsewhere) load() func(cert, key string) (tls.Certificate, error) {
	if e.Process == nil {
		return nil
	}
	return e.Load
}

// ends ends ctx when that process ends: no handshake could be signed any more, and whatever
// runs this one may start it again.
func (e elsewhere) ends(ctx context.Context) (_ context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	if e.Process == nil {
		return ctx, func() { cancel(nil) }
	}
	go func() {
		select {
		case <-e.Done():
			cancel(keyprocess.ErrEnded)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

func (e elsewhere) close() {
	if e.Process != nil {
		e.Close()
	}
}

// develop makes a certificate of the development authority, as vitrine serve does.
func develop(names []string) (tls.Certificate, error) {
	ca, err := authority.Open("")
	if err != nil {
		return tls.Certificate{}, err
	}
	certs, err := ca.Certify([]devca.KeyType{devca.ECDSA}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, names)
	if err != nil {
		return tls.Certificate{}, err
	}
	return certs[0], nil
}
