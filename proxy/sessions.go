package proxy

import (
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/tls"
)

func (n *plan) resume(_ *config.ServerTLS, _ *tls.Config) error { return nil }
