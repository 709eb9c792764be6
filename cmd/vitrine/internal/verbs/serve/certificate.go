package serve

import (
	"net"

	"github.com/vitrine-tls/vitrine/certstore"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/authority"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/tls"
)

// identify sets the certificates: those of --cert, whose files it returns, or those of
// the development authority, which it returns. A server whose suites have none needs none.
func (o *options) identify(config *tls.Config, addr net.Addr) (*authority.Authority, []certstore.Pair, error) {
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
func (o *options) certify(config *tls.Config, addr net.Addr) (*authority.Authority, error) {
	keys := o.tls.CertificateKeys()
	if len(keys) == 0 {
		return nil, nil
	}
	ca, err := authority.Open(o.caDir)
	if err != nil {
		return nil, err
	}
	config.Certificates, err = ca.Certify(keys, addr, o.names)
	return ca, err
}
