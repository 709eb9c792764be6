package page

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/certcompress"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/tracefile"
	"github.com/vitrine-tls/vitrine/wire"
)

// runs are the kinds of connection that are made anew; the kept accounts of package
// explain are kinds too.
var runs = map[string]run{
	"tls13-hybrid":   {},
	"tls13-chacha20": {change: only(tls.VersionTLS13, tls.TLS_CHACHA20_POLY1305_SHA256)},
	"tls13-retry": {change: func(c, s *tls.Config) {
		c.CurvePreferences, s.CurvePreferences, s.HelloRetryCookie = []tls.CurveID{tls.X25519, tls.CurveP384}, []tls.CurveID{tls.CurveP384}, true
	}},
	"tls13-resumption": {twice: true, change: func(c, s *tls.Config) { c.MaxVersion = tls.VersionTLS13 }},
	"tls13-key-update": {talk: func(c *tls.Conn) error {
		if err := c.KeyUpdate(true); err != nil {
			return err
		}
		_, err := c.Write([]byte("after"))
		return err
	}},
	"tls13-padding": {change: func(c, s *tls.Config) { c.Record.Padding = func(n int) int { return 100 - n%100 } }},
	"tls13-pieces":  {change: func(c, s *tls.Config) { c.Record.MaxFragment, s.Record.MaxFragment = 64, 64 }},
	"tls13-server":  {server: true},
	"tls13-compressed": {change: func(c, s *tls.Config) {
		zlib := []certcompress.Algorithm{certcompress.Zlib()}
		c.CertificateCompression, s.CertificateCompression = zlib, zlib
	}},
	"tls13-hidden-hello":         {change: func(c, s *tls.Config) { hide(c, s, s) }},
	"tls13-hidden-hello-refused": {fails: true, change: func(c, s *tls.Config) { hide(c, s, new(tls.Config)) }},
	"tls12-ticket":               {twice: true, change: func(c, s *tls.Config) { c.MaxVersion = tls.VersionTLS12 }},
	"tls12-sha384":               {change: only(tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384)},
	"tls12-mac-then-encrypt": {change: func(c, s *tls.Config) {
		only(tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256)(c, s)
		c.Legacy.NoEncryptThenMAC = true
	}},
	"tls12-null": {key: devca.RSA, change: func(c, s *tls.Config) {
		only(tls.VersionTLS12, uint16(wire.TLS_RSA_WITH_NULL_SHA256))(c, s)
		for _, x := range []*tls.Config{c, s} {
			x.Legacy.NullCiphers, x.Legacy.RSAKeyExchange = true, true
		}
	}},
	"no-version-in-common": {fails: true, change: func(c, s *tls.Config) { c.MaxVersion, s.MinVersion = tls.VersionTLS12, tls.VersionTLS13 }},
	"dropped":              {budget: 1 << 15, talk: func(c *tls.Conn) error { _, err := c.Write(bytes.Repeat([]byte("data "), 1<<14)); return err }},
}

// hide has the client encrypt its hello to a key that holder gets, and the server have one.
func hide(client, server, holder *tls.Config) {
	for _, x := range []*tls.Config{server, holder} {
		key, err := tls.GenerateECHKey("localhost", tls.ECHKeyOptions{})
		if err != nil {
			panic(err)
		}
		x.EncryptedClientHelloKeys = []tls.EncryptedClientHelloKey{key}
	}
	list, err := tls.ECHConfigList(holder.EncryptedClientHelloKeys...)
	if err != nil {
		panic(err)
	}
	client.EncryptedClientHelloConfigList = list
}

// only allows one version, and one suite up to TLS 1.2 or in it.
func only(version uint16, suite uint16) func(client, server *tls.Config) {
	return func(client, server *tls.Config) {
		for _, x := range []*tls.Config{client, server} {
			x.MinVersion, x.MaxVersion, x.CipherSuites = version, version, []uint16{suite}
		}
	}
}

// kinds are all kinds of connection, by name.
func kinds(t *testing.T) map[string]*explain.Connection {
	t.Helper()
	all := accounts(t)
	for name, r := range runs {
		all[name] = r.account(t)
	}
	all["secrets-withheld"] = withheld(t)
	return all
}

// withheld is an account of a trace that was saved without secrets.
func withheld(t *testing.T) *explain.Connection {
	var saved bytes.Buffer
	run{keep: func(c *explain.Collector, about explain.About) {
		if err := c.Save(tracefile.NewWriter(&saved, false), about); err != nil {
			t.Error(err)
		}
	}}.account(t)
	all, err := explain.Load(&saved, 0)
	if err != nil || len(all) != 1 {
		t.Fatal(len(all), err)
	}
	return all[0]
}

// There is more than one of everything that the page must show.
func TestKinds(t *testing.T) {
	all := kinds(t)
	if len(all) < 30 {
		t.Errorf("%d kinds", len(all))
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		c := all[name]
		raw, err := json.Marshal(c)
		if err != nil || len(raw) == 0 || c.Format != explain.Format {
			t.Errorf("%s: %v", name, err)
		}
		if !c.Checks.OK() {
			t.Errorf("%s: %q", name, c.Checks.Failures)
		}
	}
}
