package proxy

import (
	"errors"
	"fmt"

	"github.com/vitrine-tls/vitrine/proxy/access"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/words"
	"github.com/vitrine-tls/vitrine/tls"
)

// parsePolicy reads rules; nil lets in all that the handshake has.
func parsePolicy(rules []string) (*access.Policy, error) {
	if len(rules) == 0 {
		return nil, nil
	}
	return access.Parse(rules)
}

// clientAuth sets what is demanded of clients. Where all rules pin keys, no authority is
// needed: then any certificate is taken here, and the rules judge its key.
func clientAuth(d *door, own *tls.Config) (err error) {
	t := d.config.TLS
	switch t.ClientAuth {
	case "", "none":
		return nil
	case "request":
		own.ClientAuth = tls.VerifyClientCertIfGiven
	case "require":
		own.ClientAuth = tls.RequireAndVerifyClientCert
	default:
		return fmt.Errorf("client-auth: %q is not a mode; choose none, request or require", t.ClientAuth)
	}
	switch {
	case t.ClientCA != "":
		if own.ClientCAs, err = pool(t.ClientCA); err != nil {
			return fmt.Errorf("client-ca: %w", err)
		}
	case !d.pinsOnly():
		return errors.New("client-ca: a file of authorities is needed with client-auth; else every authority of the system could let clients in")
	case own.ClientAuth == tls.RequireAndVerifyClientCert:
		own.ClientAuth = tls.RequireAnyClientCert
	default:
		own.ClientAuth = tls.RequestClientCert
	}
	own.Revocation, err = checker(t.Revocation, t.CRL, d.plan.p.hooks.Certificate)
	return err
}

// pinsOnly reports that no client comes in but by the pin of its key.
func (d *door) pinsOnly() bool {
	all := d.routes
	if d.fallback != nil {
		all = append(all[:len(all):len(all)], d.fallback)
	}
	for _, r := range all {
		if !r.passthrough && (r.allow == nil || !r.allow.PinsOnly()) {
			return false
		}
	}
	return len(all) > 0
}

// preShared reads the file of pre-shared keys.
func preShared(t *config.ServerTLS, own *tls.Config) error {
	if t.PSKFile == "" {
		return nil
	}
	keys, err := access.ReadPSKs(t.PSKFile)
	if err != nil {
		return fmt.Errorf("psk-file: %w", err)
	}
	own.PSK.Server = keys.Key
	if own.MaxVersion == 0 || own.MaxVersion >= tls.VersionTLS13 {
		own.PSK.ExternalServer = keys.External
	}
	words.AddPSK(own, len(t.Certificates) == 0)
	return nil
}
