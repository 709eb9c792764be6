package attacks

import (
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

const serverName = "example.test"

// pki is an authority with a server's certificate of each kind of key, and what
// an attacker has: a certificate of the same authority for the same name.
type pki struct {
	ca       *devca.CA
	now      time.Time // a bubble has a clock of its own
	server   map[suite.Auth]tls.Certificate
	attacker tls.Certificate
	client   [2]tls.Certificate
}

var testPKI = sync.OnceValue(func() *pki {
	p := &pki{ca: must(devca.New(serverName)), now: time.Now(), server: map[suite.Auth]tls.Certificate{}}
	for auth, key := range map[suite.Auth]devca.KeyType{
		suite.AuthRSA: devca.RSA, suite.AuthECDSA: devca.ECDSA, suite.AuthAny: devca.ECDSA, suite.AuthDSS: devca.DSA,
	} {
		p.server[auth] = must(p.ca.Issue(devca.Leaf{Names: []string{serverName}, Key: key}))
	}
	p.attacker = must(p.ca.Issue(devca.Leaf{Names: []string{serverName}, Key: devca.RSA}))
	for i := range p.client {
		p.client[i] = must(p.ca.Issue(devca.Leaf{Names: []string{fmt.Sprint("client ", i)}, Key: devca.RSA, Client: true}))
	}
	return p
})

func TestMain(m *testing.M) {
	testPKI() // outside of all bubbles
	leak.Main(m)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// oldVersions are those before TLS 1.3.
var oldVersions = []wire.Version{wire.SSL30, wire.TLS10, wire.TLS11, wire.TLS12}

// everySwitch lets every suite and version in, but changes nothing else.
var everySwitch = tls.Legacy{
	RSAKeyExchange: true, SSL30: true, DSSSigning: true, DES: true, TripleDES: true, RC4: true,
	NullCiphers: true, Anonymous: true, MD5: true,
}

const pskIdentity, pskKey = "someone", "a key of theirs"

// defaults are configs that set nothing but who they are and whom they trust.
func defaults(auth suite.Auth) (client, server *tls.Config) {
	p := testPKI()
	now := func() time.Time { return p.now }
	client = &tls.Config{RootCAs: p.ca.Pool(), ServerName: serverName, Time: now}
	server = &tls.Config{Certificates: []tls.Certificate{p.server[auth]}, ClientCAs: p.ca.Pool(), Time: now}
	return client, server
}

// configs are what it takes to agree on a suite in a version.
func configs(s *suite.Suite, v wire.Version) (client, server *tls.Config) {
	client, server = defaults(s.Auth)
	if !s.KeyExchange.Certificate() && s.KeyExchange != wire.KeyExchangeNone {
		server.Certificates = nil
	}
	for _, c := range []*tls.Config{client, server} {
		c.Legacy = everySwitch
		c.CipherSuites, c.MinVersion, c.MaxVersion = []uint16{uint16(s.ID)}, uint16(v), uint16(v)
		c.PSK = tls.PSK{
			Client: func(string) (string, []byte, error) { return pskIdentity, []byte(pskKey), nil },
			Server: func(identity string) ([]byte, error) {
				if identity == pskIdentity {
					return []byte(pskKey), nil
				}
				return nil, nil
			},
		}
	}
	return client, server
}

// suites calls f in a subtest for every suite that is one of those, in every
// version that allows it.
func suites(t *testing.T, those func(*suite.Suite) bool, f func(t *testing.T, s *suite.Suite, v wire.Version)) {
	ran := 0
	for _, s := range suite.All() {
		for _, v := range append(oldVersions, wire.TLS13) {
			if !those(s) || !s.Allows(v) {
				continue
			}
			ran++
			t.Run(fmt.Sprintf("%s/%v", s.Name, v), func(t *testing.T) {
				t.Parallel()
				bubble(t, func(t *testing.T) { f(t, s, v) })
			})
		}
	}
	if ran == 0 {
		t.Error("no suite is one of those")
	}
}

func (p *pki) all() []tls.Certificate {
	all := []tls.Certificate{p.attacker}
	for _, c := range p.server {
		all = append(all, c)
	}
	return all
}

func switchOff(l *tls.Legacy, name string) {
	reflect.ValueOf(l).Elem().FieldByName(name).SetBool(false)
}
