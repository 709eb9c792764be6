package serve

import (
	"net"
	"os"
	"path/filepath"
	"slices"

	"github.com/vitrine-tls/vitrine/certstore"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

// authority is the development authority; new says that it was made just now, so that
// no client trusts it yet.
type authority struct {
	*devca.CA
	new bool
}

// identify sets the certificates: those of --cert, whose files it returns, or those of
// the development authority, which it returns. A server whose suites have none needs none.
func (o *options) identify(config *tls.Config, addr net.Addr) (*authority, []certstore.Pair, error) {
	certs, pairs, err := o.identity.Load()
	switch {
	case err != nil:
		return nil, nil, err
	case len(certs) > 0 && len(o.names) > 0:
		return nil, nil, report.Usagef("--name is for a certificate of the development authority; that of --cert has its own names")
	case len(certs) > 0:
		config.Certificates = certs
		return nil, pairs, nil
	}
	ca, err := o.certify(config, addr)
	return ca, nil, err
}

// certify gives config certificates of the development authority, which it returns.
func (o *options) certify(config *tls.Config, addr net.Addr) (*authority, error) {
	keys := o.tls.CertificateKeys()
	if len(keys) == 0 {
		return nil, nil
	}
	ca, err := o.openAuthority()
	if err != nil {
		return nil, err
	}
	for _, name := range o.names {
		if !ca.Permits(name) {
			return nil, report.Usagef("--name %q: the authority in %s may certify names of this machine, those in .localhost, .test, .local, .home.arpa and .internal, and private addresses only; for another name give a certificate of your own with --cert (an authority that is older than this rule may know fewer: --ca-dir NEW makes another)",
				name, filepath.Dir(ca.File()))
		}
	}
	for _, key := range keys {
		cert, err := developmentCertificate(ca.CA, key, hosts(addr, o.names))
		if err != nil {
			return nil, report.Usagef("--ca-dir: %v", err)
		}
		config.Certificates = append(config.Certificates, cert)
	}
	return ca, nil
}

// openAuthority opens the development authority, which it makes at first.
func (o *options) openAuthority() (*authority, error) {
	dir := o.caDir
	if dir == "" {
		base, err := os.UserConfigDir()
		if err != nil {
			return nil, report.Usagef("there is no configuration folder (%v); say with --ca-dir where to keep the development authority", err)
		}
		dir = filepath.Join(base, "vitrine")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	ca, created, err := devca.Open(dir)
	if err != nil {
		return nil, report.Usagef("--ca-dir: %v", err)
	}
	return &authority{ca, created}, nil
}

// developmentCertificate is for the loopback names and for hosts. The one that is kept
// has an ECDSA key; others, for old suites, are made anew each time.
func developmentCertificate(ca *devca.CA, key devca.KeyType, hosts []string) (tls.Certificate, error) {
	names := []string{"localhost", "127.0.0.1", "::1"}
	if host, err := os.Hostname(); err == nil {
		names = append(names, host)
	}
	for _, host := range hosts {
		if !slices.Contains(names, host) {
			names = append(names, host)
		}
	}
	if key == devca.ECDSA {
		return ca.ServerCertificate(names...)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return !ca.Permits(n) })
	return ca.Issue(devca.Leaf{Names: names, Key: key})
}
