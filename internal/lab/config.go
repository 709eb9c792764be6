package lab

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// pair are the configurations of both sides.
type pair struct {
	client, server *tls.Config
	// version is the highest that both have.
	version wire.Version
}

func (p *pair) each(f func(*tls.Config)) {
	f(p.client)
	f(p.server)
}

// configs makes those of a setup.
func (s *Setup) configs() (*pair, error) {
	if err := s.choices(); err != nil {
		return nil, err
	}
	p := &pair{client: &tls.Config{ServerName: serverName}, server: &tls.Config{}}
	var high [2]wire.Version
	for i, side := range []struct {
		config   *tls.Config
		settings Settings
	}{{p.client, s.Client}, {p.server, s.Server}} {
		if err := s.settle(side.config, side.settings); err != nil {
			return nil, err
		}
		high[i] = wire.Version(side.config.MaxVersion)
	}
	p.version = min(high[0], high[1])
	if err := s.certify(p); err != nil {
		return nil, err
	}
	s.conduct(p)
	return p, nil
}

// settle gives one side its versions, suites, groups and switches.
func (s *Setup) settle(c *tls.Config, x Settings) error {
	names := x.Suites
	if len(names) == 0 {
		names = s.Suites
	}
	rows, err := suites(names)
	if err != nil {
		return err
	}
	if len(rows) == 0 && s.PSK {
		rows = slices.DeleteFunc(suite.All(), func(r *suite.Suite) bool { return !r.KeyExchange.PSK() || len(r.Switches) > 0 })
	}
	low, high, err := s.bounds(x, rows)
	if err != nil {
		return err
	}
	c.MinVersion, c.MaxVersion = uint16(low), uint16(high)
	for _, r := range rows {
		c.CipherSuites = append(c.CipherSuites, uint16(r.ID))
		allow(&c.Legacy, r.Switches...)
		if r.Auth == suite.AuthDSS {
			allow(&c.Legacy, "DSSSigning")
		}
	}
	if low == wire.SSL30 {
		allow(&c.Legacy, "SSL30")
	}
	if high == wire.SSL30 && len(rows) == 0 { // whose suites are all off by default
		c.CipherSuites = []uint16{uint16(wire.TLS_RSA_WITH_AES_128_CBC_SHA)}
		allow(&c.Legacy, "RSAKeyExchange")
	}
	if x.DHBits == 1024 {
		c.DHE.MinBits, c.DHE.Parameters = x.DHBits, smallGroup()
		allow(&c.Legacy, "SmallDH")
	}
	for _, name := range x.Legacy {
		field := legacyField(name)
		if field == "" {
			return fmt.Errorf("%q is not a switch of tls.Legacy", name)
		}
		allow(&c.Legacy, field)
	}
	ids, err := groups(x.Groups)
	if len(x.Groups) == 0 {
		ids, err = groups(s.Groups)
	}
	for _, id := range ids {
		c.CurvePreferences = append(c.CurvePreferences, tls.CurveID(id))
	}
	c.InsecureSkipVerify = x.Insecure || slices.ContainsFunc(rows, func(r *suite.Suite) bool { return r.Auth == suite.AuthDSS }) // which crypto/x509 does not know
	c.Record.MaxFragment = x.Fragment
	return err
}

// LegacySwitches are the names of the fields of tls.Legacy.
func LegacySwitches() (names []string) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[tls.Legacy]()) {
		names = append(names, f.Name)
	}
	return names
}

func legacyField(name string) string {
	for _, field := range LegacySwitches() {
		if strings.EqualFold(field, strings.ReplaceAll(name, "-", "")) {
			return field
		}
	}
	return ""
}

// allow sets switches by their fields' names.
func allow(l *tls.Legacy, fields ...string) {
	for _, f := range fields {
		reflect.ValueOf(l).Elem().FieldByName(f).SetBool(true)
	}
}

// keyOf is the kind of key that the suites of a kind need.
var keyOf = map[suite.Auth]devca.KeyType{
	suite.AuthAny: devca.ECDSA, suite.AuthECDSA: devca.ECDSA, suite.AuthRSA: devca.RSA, suite.AuthDSS: devca.DSA,
}

// keys are the kinds of keys that the server has.
func (s *Setup) keys(p *pair) (all []devca.KeyType) {
	if s.Key != "" {
		return []devca.KeyType{Keys[s.Key]}
	}
	if len(p.server.CipherSuites) == 0 {
		return []devca.KeyType{devca.ECDSA}
	}
	for _, id := range p.server.CipherSuites {
		key, ok := keyOf[suite.ByID(wire.CipherSuite(id)).Auth]
		if ok && !slices.Contains(all, key) {
			all = append(all, key)
		}
	}
	return all
}

// certify gives both sides their certificates, and tells each whom to trust.
func (s *Setup) certify(p *pair) error {
	known, err := trusted()
	if err != nil {
		return err
	}
	issuer, err := s.authority()
	if err != nil {
		return err
	}
	p.client.RootCAs, p.server.ClientCAs = known.ca.Pool(), known.ca.Pool()
	for _, key := range s.keys(p) {
		cert, err := issuer.leaf(serverName, key, false)
		if err != nil {
			return err
		}
		p.server.Certificates = append(p.server.Certificates, cert)
	}
	if s.ClientCertificate == "" {
		return nil
	}
	key := devca.ECDSA
	if p.client.MinVersion < tls.VersionTLS12 { // which every version has
		key = devca.RSA
	}
	cert, err := known.leaf("somebody", key, true)
	if err != nil {
		return err
	}
	switch s.ClientCertificate {
	case "asked":
		p.server.ClientAuth = tls.VerifyClientCertIfGiven
	case "shown":
		p.server.ClientAuth, p.client.Certificates = tls.RequireAndVerifyClientCert, []tls.Certificate{cert}
	case "later":
		p.client.Certificates, p.client.PostHandshakeAuth = []tls.Certificate{cert}, true
		p.client.Renegotiation = tls.RenegotiateFreelyAsClient
	}
	return nil
}

// A pre-shared key of the lab.
const pskIdentity, pskKey = "somebody", "a key that both have"

// sessionBudget is the room for sessions, in bytes.
const sessionBudget = 1 << 16

// conduct sets what each side may do in the connection.
func (s *Setup) conduct(p *pair) {
	p.each(func(c *tls.Config) {
		c.SessionTicketsDisabled = s.Resume != "ticket" && s.Resume != "psk"
		c.Legacy.Compression = c.Legacy.Compression || s.Compression
		c.PSK.Client = func(string) (string, []byte, error) { return pskIdentity, []byte(pskKey), nil }
		c.PSK.Server = func(identity string) ([]byte, error) {
			if identity != pskIdentity {
				return nil, nil
			}
			return []byte(pskKey), nil
		}
		c.HandshakeTimeout = -1 // the relay ends what waits
	})
	if s.Resume != "" {
		p.client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	}
	if s.Resume == "id" {
		p.server.Resumption.Store = session.NewMemory(sessionBudget)
	}
	switch s.Renegotiate {
	case "client", "allowed":
		p.server.Renegotiate = tls.Renegotiate{FromClient: true, MinInterval: -1}
	case "server":
		p.client.Renegotiation = tls.RenegotiateFreelyAsClient
	}
	if s.Retry && len(p.server.CurvePreferences) == 0 {
		p.client.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP256}
		p.server.CurvePreferences = []tls.CurveID{tls.CurveP256}
	}
}

// request and answer are what the two say.
func (s *Setup) request() string {
	return cmp.Or(s.Request, "GET / HTTP/1.1\r\nHost: lab.test\r\nCookie: session=8f3a09c1d4e7\r\n\r\n")
}

func (s *Setup) answer() string {
	return cmp.Or(s.Answer, "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\nBehind the glass.")
}
