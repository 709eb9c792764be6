package proxy

import (
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/tls"
)

func (n *plan) certify(t *config.ServerTLS, own *tls.Config) error {
	for _, c := range t.Certificates {
		key := c.Key
		if key == "" {
			key = c.Cert
		}
		pair, err := tls.LoadX509KeyPair(c.Cert, key)
		if err != nil {
			return err
		}
		own.Certificates = append(own.Certificates, pair)
	}
	return nil
}

func (n *plan) resume(t *config.ServerTLS, own *tls.Config) error { return nil }
