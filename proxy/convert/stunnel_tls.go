package convert

import (
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

// pairs are the certificates of a service; a file of PKCS#12 by its ending.
func (s *stunnelService) pairs(m *maker) (list []config.Certificate) {
	for i, cert := range s.certs {
		c := config.Certificate{Cert: cert}
		if lower := strings.ToLower(cert); strings.HasSuffix(lower, ".p12") || strings.HasSuffix(lower, ".pfx") {
			c = config.Certificate{PKCS12: cert}
			m.note(s.title, "has a certificate in PKCS#12; if it has a password, write that into a file, and name it with password-file")
		} else if i < len(s.keys) && s.keys[i] != cert {
			c.Key = s.keys[i]
		}
		list = append(list, c)
	}
	return list
}

// serverTLS is TLS with clients, and the rules on them.
func (s *stunnelService) serverTLS(m *maker) (t *config.ServerTLS, allow []string) {
	t = &config.ServerTLS{Certificates: s.pairs(m), Versions: s.versions, PSKFile: s.pskFile}
	keys := s.pskFile != ""
	if keys && len(t.Certificates) > 0 {
		allow = s.sharedKeysAlone(m, t)
	}
	if keys && s.verify.key != "" && len(t.Certificates) == 0 {
		m.note(s.verify, "does nothing where clients come in by pre-shared keys alone, and no certificate of a client is asked for; it is left out")
		return t, allow
	}
	if s.verify.key == "" {
		if s.ca != "" {
			m.note(s.title, "verifies no client, so that CAfile does nothing and is left out; add client-ca and client-auth: require if clients are to be verified")
		}
		if len(s.crl) > 0 || s.revocation != "" {
			m.note(s.title, "verifies no client, so that nothing can be revoked, and its lists and OCSP are left out; add client-auth: require, crl and revocation if clients are to be verified")
		}
		for _, rule := range s.hosts {
			m.note(s.title, "has a rule on clients that does nothing there, as none is verified ("+rule+"), and it is left out; add client-auth: require and allow")
		}
		return t, allow
	}
	t.ClientAuth, t.ClientCA, t.CRL, t.Revocation = "request", s.ca, s.crl, s.revocation
	if s.ca == "" {
		m.note(s.verify, "has no CAfile beside it; name the authorities with client-ca")
	}
	switch {
	case !s.demands():
	case !keys:
		t.ClientAuth = "require"
	case len(s.hosts) == 0 && s.peer.key == "": // of those without a key
		allow = []string{anyKey, "all"}
	default:
		allow = []string{anyKey}
	}
	allow = append(allow, s.hosts...)
	if s.peer.key != "" {
		m.note(s.peer, "lets in those alone whose own certificate is in CAfile; REPLACE stands for that, so list their keys in allow as spki:sha256/BASE64")
		allow = append(allow, placeholder)
	}
	return t, allow
}

// demands reports that a client without a key must show a certificate.
func (s *stunnelService) demands() bool {
	return s.verify.key != "" && (s.verify.key != "verify" || s.verify.value != "1")
}

// anyKey is the rule that a client meets by whatever pre-shared key.
const anyKey = `cel:psk != ""`

// sharedKeysAlone keeps those out of a service with pre-shared keys that have none: beside a certificate
// they would come in. Ciphers of pre-shared keys alone leave no use for a certificate.
func (s *stunnelService) sharedKeysAlone(m *maker, t *config.ServerTLS) (allow []string) {
	only := s.ciphers != nil
	if only {
		for _, name := range strings.FieldsFunc(s.ciphers.value, func(r rune) bool { return r == ':' || r == ',' || r == ' ' }) {
			only = only && (strings.HasPrefix(name, "!") || strings.HasPrefix(name, "-") || strings.HasPrefix(name, "PSK"))
		}
	}
	if only {
		m.note(*s.ciphers, "has pre-shared keys alone, so that the certificate does nothing and is left out; take psk-file out if clients without a key may come in")
		t.Certificates = nil
		return nil
	}
	if s.demands() {
		return nil
	}
	m.note(s.title, "has a certificate beside pre-shared keys, by which clients without a key come in too; REPLACE stands in allow, so write psk:IDENTITY for those that may, or take it out")
	return []string{placeholder}
}

// clientTLS is TLS with the target.
func (s *stunnelService) clientTLS(m *maker) *config.ClientTLS {
	t := &config.ClientTLS{Versions: s.versions, CA: s.ca, Revocation: s.revocation}
	if list := s.pairs(m); len(list) > 0 {
		t.Cert, t.Key = list[0].Cert, list[0].Key
		if list[0].PKCS12 != "" || len(list) > 1 {
			m.note(s.title, "shows a certificate in PKCS#12, or several, and vitrine shows one in PEM to a target; convert it with 'openssl pkcs12'")
		}
	}
	names := s.names
	for _, host := range s.hosts {
		name, isName := strings.CutPrefix(host, "dns:")
		if !isName {
			name, isName = strings.CutPrefix(host, "ip:")
		}
		if isName {
			names = append([]string{name}, names...)
		} else {
			t.Pins = append(t.Pins, placeholder)
		}
	}
	if len(names) > 0 {
		t.Name = names[0]
	}
	for _, other := range names[min(1, len(names)):] {
		if other != t.Name {
			m.note(s.title, "has several names for the target, and one is taken ("+t.Name+"), which is asked for and must be in its certificate; choose with name")
		}
	}
	if s.peer.key != "" {
		m.note(s.peer, "takes a target alone whose own certificate is in CAfile; REPLACE stands for that, so list its key in pins as sha256/BASE64")
		t.Pins = append(t.Pins, placeholder)
	}
	if s.pskFile != "" {
		m.note(s.title, "shows a pre-shared key to the target, which has no equivalent and is left out; use a certificate")
	}
	if s.verify.key == "" {
		m.note(s.title, "verifies nothing of the target, and vitrine does: the chain and the name; give its authority with ca, and its name with name")
	}
	if len(s.crl) > 0 {
		m.note(s.title, "has revocation lists for targets, and vitrine asks their authorities; revocation: hard stands in their place")
		t.Revocation = "hard"
	}
	return t
}

// sameClients reports whether two services demand the same of clients.
func sameClients(a, b *config.ServerTLS) bool {
	return a.ClientAuth == b.ClientAuth && a.ClientCA == b.ClientCA && a.Revocation == b.Revocation && slices.Equal(a.CRL, b.CRL)
}

// behind makes a route of a service that stands behind another by a server name.
func (m *maker) behind(s *stunnelService, all []*stunnelService) {
	if s.front.key == "" || len(s.target.Addresses) == 0 {
		return
	}
	name, pattern, _ := strings.Cut(s.front.value, ":")
	for _, front := range all {
		if strings.TrimSpace(front.called) != strings.TrimSpace(name) || front.index < 0 {
			continue
		}
		l := &m.Config.Listeners[front.index]
		r := config.Route{Names: []string{strings.TrimSpace(pattern)}, Target: s.name}
		t, allow := s.serverTLS(m)
		r.Allow = append(allow, s.barred...)
		for _, c := range t.Certificates {
			if !slices.ContainsFunc(l.TLS.Certificates, func(have config.Certificate) bool { return have.Cert == c.Cert && have.PKCS12 == c.PKCS12 }) {
				l.TLS.Certificates = append(l.TLS.Certificates, c)
			}
		}
		if t.ClientAuth != "" && !sameClients(t, l.TLS) {
			m.note(s.front, "asks clients for certificates in another way than the service in front; REPLACE stands in allow, so give it a listener of its own, or set client-auth, client-ca and crl of the listener")
			r.Allow = append(r.Allow, placeholder)
		}
		m.note(s.front, "becomes a route of "+front.name+", with its versions, suites and authorities; give it a listener of its own if they differ")
		l.Routes = append(l.Routes, r)
		return
	}
	m.note(s.front, "names a service that is not here, so that nothing is sent to this one; add a route by hand")
}
