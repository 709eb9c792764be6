// Package authority opens the development authority of this machine, which certifies the
// servers that vitrine runs where nobody has given them a certificate.
package authority

import (
	"net"
	"os"
	"path/filepath"
	"slices"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

// Authority is the development authority; New says that it was made just now, so that no
// client trusts it yet.
type Authority struct {
	*devca.CA
	New bool
}

// Open opens the authority in dir, which it makes at first. The usual folder is that of an
// empty dir.
func Open(dir string) (*Authority, error) {
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
	return &Authority{ca, created}, nil
}

// Certify makes a certificate for each kind of key, for a server that listens on addr, and
// for further names.
func (a *Authority) Certify(keys []devca.KeyType, addr net.Addr, names []string) (certs []tls.Certificate, err error) {
	for _, name := range names {
		if !a.Permits(name) {
			return nil, report.Usagef("--name %q: the authority in %s may certify names of this machine, those in .localhost, .test, .local, .home.arpa and .internal, and private addresses only; for another name give a certificate of your own with --cert (an authority that is older than this rule may know fewer: --ca-dir NEW makes another)",
				name, filepath.Dir(a.File()))
		}
	}
	for _, key := range keys {
		cert, err := a.certificate(key, Hosts(addr, names))
		if err != nil {
			return nil, report.Usagef("--ca-dir: %v", err)
		}
		certs = append(certs, cert)
	}
	return certs, nil
}

// certificate is for the loopback names and for hosts. The one that is kept
// has an ECDSA key; others, for old suites, are made anew each time.
func (a *Authority) certificate(key devca.KeyType, hosts []string) (tls.Certificate, error) {
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
		return a.ServerCertificate(names...)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return !a.Permits(n) })
	return a.Issue(devca.Leaf{Names: names, Key: key})
}
