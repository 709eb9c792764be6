package config

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/proxy/words"
	"github.com/vitrine-tls/vitrine/tls"
)

// agreement is v for package words.
func (v Versions) agreement() words.Agreement {
	return words.Agreement{Min: v.Min, Max: v.Max, Suites: v.Suites, Groups: v.Groups, SigAlgs: v.SigAlgs, Legacy: v.Legacy}
}

// versions looks at what a side agrees to.
func (k *checker) versions(path string, v Versions) *tls.Config {
	c := &tls.Config{}
	if err := v.agreement().Apply(c); err != nil {
		field, text, _ := strings.Cut(err.Error(), ": ")
		k.wrong(path+"."+field, "%s", strings.ReplaceAll(strings.Replace(text, "from\n  ", "from ", 1), "\n  ", ", "))
	}
	return c
}

// acmeProtocol is that of ACME's challenge by TLS. RFC 8737 §6.2.
const acmeProtocol = "acme-tls/1"

func (k *checker) serverTLS(path string, l *Listener, t *ServerTLS) {
	own := k.versions(path, t.Versions)
	if len(t.ECHKeys) > 0 && own.MaxVersion != 0 && own.MaxVersion < tls.VersionTLS13 {
		k.wrong(path+".ech-keys", "encrypted hellos are for TLS 1.3, which is off; raise max, or leave ech-keys out")
	}
	k.protocols(path+".alpn", t.ALPN)
	for i, protocol := range t.ALPN {
		if protocol == acmeProtocol {
			k.wrong(fmt.Sprintf("%s.alpn[%d]", path, i), "acme-tls/1 is for the challenges of an ACME authority, to which the proxy answers itself and asks for no certificate; leave it out")
		}
	}
	if l.Mode == ModeHTTP {
		for i, protocol := range t.ALPN {
			if protocol != "h2" && protocol != "http/1.1" && protocol != "http/1.0" {
				k.wrong(fmt.Sprintf("%s.alpn[%d]", path, i), "HTTP mode does not speak %q; choose h2 and http/1.1", protocol)
			}
		}
	}
	if len(t.Certificates) == 0 && t.PSKFile == "" {
		k.wrong(path+".certificates", "there is no certificate to show; %s",
			k.either("add one with cert and key, acme or development, or a psk-file", "give one with --cert and --key, --acme or --development, or --psk-file FILE"))
	}
	switch keys := t.PSKFile != ""; {
	case keys && t.ClientAuth == "require" && len(t.Certificates) == 0:
		k.wrong(path+".client-auth", "a pre-shared key leaves no place for a client's certificate, so nobody could come in; %s",
			k.either("leave client-auth and client-ca out, or add certificates and leave psk-file out", "leave --client-auth and --client-ca out, or add --cert and leave --psk-file out"))
	case keys && t.ClientAuth == "require":
		k.warn(path+".psk-file", "each client must show a certificate, for which a pre-shared key leaves no place, so that nobody comes in by a key; %s the identities that may come in, like psk:client1 and dns:client2.example.com",
			k.either("leave psk-file out, or write client-auth: request and, in allow,", "leave --psk-file out, or say --client-auth request and, with --allow,"))
	case keys && len(t.Certificates) > 0 && len(l.Allow) == 0:
		k.warn(path+".psk-file", "beside certificates, clients come in without a pre-shared key too; %s which identities may come in, like psk:client1",
			k.either("leave certificates out, or write in allow", "leave --cert out, or say with --allow"))
	}
	k.namesTwice(path, t)
	for i := range t.Certificates {
		k.certificate(fmt.Sprintf("%s.certificates[%d]", path, i), l, &t.Certificates[i])
	}
	k.clientAuth(path, t, l.pinsOnly())
}

// namesTwice finds names that two entries of ACME would get: the first would be shown always.
func (k *checker) namesTwice(path string, t *ServerTLS) {
	first := map[string]int{}
	for i, c := range t.Certificates {
		if c.ACME == nil {
			continue
		}
		for j, name := range c.ACME.Names {
			name = strings.ToLower(strings.TrimSuffix(name, "."))
			if before, twice := first[name]; twice {
				k.wrong(fmt.Sprintf("%s.certificates[%d].acme.names[%d]", path, i, j), "certificates[%d] gets %q already, and one of them would never be shown; leave one out", before, name)
				continue
			}
			first[name] = i
		}
	}
}

// pinsOnly reports that each client that comes in must have a key that a rule names, so that no
// authority is needed. Package access judges rules alike.
func (l *Listener) pinsOnly() bool {
	pins := func(rules []string) bool {
		return len(rules) > 0 && !slices.ContainsFunc(rules, func(rule string) bool {
			return !strings.HasPrefix(rule, "spki:") && !strings.HasPrefix(rule, "psk:")
		})
	}
	if l.Target != "" && !pins(l.Allow) {
		return false
	}
	return !slices.ContainsFunc(l.Routes, func(r Route) bool {
		return !r.Passthrough && !pins(r.Allow) && (len(r.Allow) > 0 || !pins(l.Allow))
	})
}

func (k *checker) clientAuth(path string, t *ServerTLS, pinsOnly bool) {
	k.oneOf(path+".client-auth", t.ClientAuth, "none", "request", "require")
	k.oneOf(path+".revocation", t.Revocation, "off", "soft", "hard")
	asks := t.ClientAuth == "request" || t.ClientAuth == "require"
	switch {
	case asks && t.ClientCA == "" && !pinsOnly:
		k.wrong(path+".client-auth", "there is no authority to verify clients' certificates by; give its file with client-ca, or have allow name keys alone, by spki: and psk:")
	case !asks && t.ClientCA != "":
		k.wrong(path+".client-ca", "no client is asked for a certificate, so everybody gets in; add client-auth: require, or leave client-ca out")
	case !asks && len(t.CRL) > 0:
		k.wrong(path+".crl", "no client is asked for a certificate that could be revoked; add client-auth: require, or leave crl out")
	case !asks && t.Revocation != "" && t.Revocation != "off":
		k.wrong(path+".revocation", "no client is asked for a certificate that could be revoked; add client-auth: require, or leave revocation out")
	case t.Revocation == "off" && len(t.CRL) > 0:
		k.wrong(path+".crl", "revocation is off, so that the lists are not looked at; leave crl or revocation out")
	}
}

func (k *checker) certificate(path string, l *Listener, c *Certificate) {
	var kinds []string
	for kind, set := range map[string]bool{"cert": c.Cert != "", "pkcs12": c.PKCS12 != "", "acme": c.ACME != nil, "development": len(c.Development) > 0} {
		if set {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	switch {
	case len(kinds) > 1:
		k.wrong(path, "one entry has %s; put each into an entry of its own", strings.Join(kinds, " and "))
	case len(kinds) == 0 && c.Key != "":
		k.wrong(path+".key", "there is a key without a certificate; add cert")
	case len(kinds) == 0:
		k.wrong(path, "the entry has no certificate; give cert and key, pkcs12, acme or development")
	case c.Key != "" && c.Cert == "":
		k.wrong(path+".key", "a key is for cert alone; leave it out")
	}
	if c.PasswordFile != "" && c.PKCS12 == "" {
		k.wrong(path+".password-file", "a password is for pkcs12 alone; leave it out, and take the password off a PEM key with 'openssl pkey'")
	}
	if c.ACME != nil {
		k.acme(path+".acme", l, c.ACME)
	}
	k.hosts(path+".development", c.Development)
}

// hosts looks at names to certify.
func (k *checker) hosts(path string, names []string) {
	for i, name := range names {
		if why := wrongName(name); why != "" && !strings.HasPrefix(why, "clients send no name for an address") {
			k.wrong(fmt.Sprintf("%s[%d]", path, i), "%q is not a name to certify: %s", name, why)
		}
	}
}

func (k *checker) acme(path string, l *Listener, a *ACME) {
	if len(a.Names) == 0 {
		k.wrong(path+".names", "there is no name to get a certificate for; list the server's names")
	}
	for i, name := range a.Names {
		if strings.HasPrefix(name, "*.") {
			k.wrong(fmt.Sprintf("%s.names[%d]", path, i), "a wildcard is certified by way of DNS alone, and challenges are tls-alpn-01 and http-01; name the hosts one by one")
			continue
		}
		k.hosts(path+".names", a.Names[i:i+1])
	}
	if a.Storage == "" {
		k.wrong(path+".storage", "there is no folder for keys and certificates, so each start would ask for new ones; give one that outlives the process")
	}
	if !a.AgreeToS {
		k.wrong(path+".agree-terms", "the authority wants you to agree to its terms; read them, and write agree-terms: true")
	}
	k.oneOf(path+".challenge", a.Challenge, "tls-alpn-01", "http-01")
	if a.Directory != "" && !isURL(a.Directory, "https") {
		k.wrong(path+".directory", "%q is not the URL of a directory; write it like https://acme.example.com/directory", a.Directory)
	}
	switch {
	case a.HTTPListen != "" && a.Challenge != "http-01":
		k.wrong(path+".http-listen", "it is for http-01, and the challenge is tls-alpn-01; add challenge: http-01, or leave http-listen out")
	case a.HTTPListen != "":
		k.address(path+".http-listen", a.HTTPListen, toServe)
	case l.StartTLS != "" && a.Challenge != "http-01":
		k.wrong(path+".challenge", "the authority does not ask by %s before TLS; add challenge: http-01", l.StartTLS)
	}
	if a.Email == "" {
		k.warn(path+".email", "the authority can tell nobody of trouble; give an address")
	} else if !strings.Contains(a.Email, "@") {
		k.wrong(path+".email", "%q is not an address for mail; write it like admin@example.com", a.Email)
	}
}

// isURL reports an absolute URL of one of the schemes, with a host.
func isURL(s string, schemes ...string) bool {
	u, err := url.Parse(s)
	return err == nil && slices.Contains(schemes, u.Scheme) && u.Host != ""
}

func (k *checker) clientTLS(path string, t *Target, c *ClientTLS) {
	k.versions(path, c.Versions)
	k.protocols(path+".alpn", c.ALPN)
	k.oneOf(path+".revocation", c.Revocation, "off", "soft", "hard")
	if c.Key != "" && c.Cert == "" {
		k.wrong(path+".key", "there is a key without a certificate; add cert")
	}
	for i, pin := range c.Pins {
		sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(pin, "sha256/"))
		if !strings.HasPrefix(pin, "sha256/") || err != nil || len(sum) != 32 {
			k.wrong(fmt.Sprintf("%s.pins[%d]", path, i), "%q is not a pin; write sha256/ and 44 characters of base64, as docs/proxy.md says how to get", pin)
		}
	}
	unix := slices.ContainsFunc(t.Addresses, func(a string) bool { return strings.HasPrefix(a, "unix:") })
	switch {
	case c.Insecure && c.CA != "":
		k.wrong(path+".ca", "insecure verifies nothing, so that the authorities do nothing; leave insecure out")
	case c.Insecure && len(c.Pins) > 0:
		k.wrong(path+".pins", "insecure verifies nothing, so that the pins do nothing; leave insecure out")
	case c.Insecure:
		k.warn(path+".insecure", "nothing of the target is verified, so that anybody on the way can read and change all; give its authority with ca, and leave insecure out")
	case c.Name == "" && unix:
		k.wrong(path+".name", "a unix socket has no name to verify the target's certificate by; give one with name")
	}
	if why := wrongName(c.Name); c.Name != "" && why != "" && !strings.HasPrefix(why, "clients send no name for an address") {
		k.wrong(path+".name", "%q is not the name of a server: %s", c.Name, why)
	}
}
