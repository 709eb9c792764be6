package scan

import (
	"crypto/x509"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

func audited(t testing.TB, at Target, o Options) *Report {
	t.Helper()
	if o.Roots == nil {
		o.Roots = authority().Pool()
	}
	r, err := (&Prober{}).Scan(t.Context(), at, o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Failure != "" {
		t.Fatalf("the scan failed: %s", r.Failure)
	}
	return r
}

func (r *Report) has(id string) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.ID == id })
}

// whole is a server that takes everything which package tls can be made to take.
func whole(t testing.TB) *tls.Config {
	c := old(t, wire.SSL30)
	c.MaxVersion = uint16(wire.TLS13)
	for _, s := range suite.All() {
		if !s.KeyExchange.PSK() {
			c.CipherSuites = append(c.CipherSuites, uint16(s.ID))
		}
	}
	c.Resumption.Store = session.NewMemory(1 << 20)
	c.NextProtos = []string{"h2", "http/1.1"}
	return c
}

// What a scan finds is what was configured: the versions, and in each the suites, all of
// them and no others.
func TestScanFindsTheConfiguration(t *testing.T) {
	some := []wire.CipherSuite{wire.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, wire.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, wire.TLS_RSA_WITH_RC4_128_SHA}
	tests := []struct {
		name     string
		min, max wire.Version
		suites   []wire.CipherSuite // nil for all
		groups   []wire.NamedGroup
		client   bool // the client's order counts
	}{
		{name: "everything", min: wire.SSL30, max: wire.TLS13},
		{name: "TLS 1.3 alone", min: wire.TLS13, max: wire.TLS13},
		{name: "some", min: wire.TLS10, max: wire.TLS12, suites: some},
		{name: "the client's order", min: wire.TLS12, max: wire.TLS12, suites: []wire.CipherSuite{wire.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}, client: true},
		{name: "groups", min: wire.TLS12, max: wire.TLS13, groups: []wire.NamedGroup{wire.GroupP384, wire.GroupX25519MLKEM768, wire.GroupX25519}},
		{name: "SSL 3.0 alone", min: wire.SSL30, max: wire.SSL30},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			config := whole(t)
			config.MinVersion, config.MaxVersion, config.PreferClientCipherSuites = uint16(test.min), uint16(test.max), test.client
			if test.suites != nil {
				config.CipherSuites = nil
				for _, s := range test.suites {
					config.CipherSuites = append(config.CipherSuites, uint16(s))
				}
			}
			for _, g := range test.groups {
				config.CurvePreferences = append(config.CurvePreferences, tls.CurveID(g))
			}
			r := audited(t, serveTLS(t, config), Options{ConfigurationOnly: true})
			for _, v := range versions {
				var want []string
				for _, s := range config.CipherSuites {
					if v >= test.min && v <= test.max && suite.ByID(wire.CipherSuite(s)).Allows(v) {
						want = append(want, SuiteName(wire.CipherSuite(s)))
					}
				}
				if test.max == wire.TLS13 && v == wire.TLS13 && test.suites != nil {
					continue
				}
				compareVersion(t, r, v, want, test.client)
			}
			if test.groups != nil {
				compareGroups(t, r, test.groups)
			}
		})
	}
}

func compareVersion(t *testing.T, r *Report, v wire.Version, want []string, client bool) {
	t.Helper()
	i := slices.IndexFunc(r.Versions, func(x VersionReport) bool { return x.Version == v.String() })
	got := r.Versions[i]
	var names []string
	for _, s := range got.Suites {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	slices.Sort(want)
	if got.Offered != (len(want) > 0) || !slices.Equal(names, want) {
		t.Errorf("%v: offered %v with %v, configured is %v", v, got.Offered, names, want)
	}
	if len(want) > 1 && (got.Order == "client") != client {
		t.Errorf("%v: the order of the %s", v, got.Order)
	}
}

func compareGroups(t *testing.T, r *Report, want []wire.NamedGroup) {
	t.Helper()
	var got []string
	for _, g := range r.Groups {
		if slices.Contains(g.Versions, wire.TLS13.String()) {
			got = append(got, g.Name)
		}
	}
	slices.Sort(got)
	var names []string
	for _, g := range want {
		names = append(names, GroupName(g))
	}
	slices.Sort(names)
	if !slices.Equal(got, names) {
		t.Errorf("groups %v, configured are %v", got, names)
	}
}

// Each finding on configuration is made where it belongs, and not where it does not.
func TestFindingsOnConfiguration(t *testing.T) {
	sound := func() *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{certificate(t, devca.ECDSA)}, NextProtos: []string{"h2", "http/1.1"}}
	}
	legacy := func(change func(*tls.Config)) *tls.Config {
		c := whole(t)
		change(c)
		return c
	}
	suites := func(c *tls.Config, names ...wire.CipherSuite) {
		c.CipherSuites = nil
		for _, s := range names {
			c.CipherSuites = append(c.CipherSuites, uint16(s))
		}
	}
	tests := []struct {
		id  string
		has *tls.Config
	}{
		{"ssl3", legacy(func(c *tls.Config) {})},
		{"tls10", legacy(func(c *tls.Config) {})},
		{"tls11", legacy(func(c *tls.Config) {})},
		{"beast", legacy(func(c *tls.Config) {})},
		{"no-tls12", legacy(func(c *tls.Config) { c.MaxVersion = uint16(wire.TLS11) })},
		{"no-tls13", legacy(func(c *tls.Config) { c.MaxVersion = uint16(wire.TLS12) })},
		{"suites-null", legacy(func(c *tls.Config) {})},
		{"suites-anon", legacy(func(c *tls.Config) {})},
		{"suites-des", legacy(func(c *tls.Config) {})},
		{"suites-rc4", legacy(func(c *tls.Config) {})},
		{"suites-64bit", legacy(func(c *tls.Config) {})},
		{"suites-cbc", legacy(func(c *tls.Config) {})},
		{"suites-no-forward-secrecy", legacy(func(c *tls.Config) {})},
		{"suites-order", legacy(func(c *tls.Config) { c.PreferClientCipherSuites = true })},
		{"no-hybrid", legacy(func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.X25519} })},
		{"no-ems", legacy(func(c *tls.Config) { c.Legacy.NoExtendedMasterSecret = true })},
		{"compression", legacy(func(c *tls.Config) { c.Legacy.Compression = true })},
		{"signature-sha1", legacy(func(c *tls.Config) {
			suites(c, wire.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256)
			c.MaxVersion = uint16(wire.TLS12)
		})},
		{"no-hsts", sound()},
	}
	r := audited(t, serveTLS(t, sound()), Options{})
	for _, test := range tests {
		if test.id != "no-hsts" && r.has(test.id) {
			t.Errorf("%s is found where it is not", test.id)
		}
	}
	for _, test := range tests {
		t.Run(test.id, func(t *testing.T) {
			t.Parallel()
			r := audited(t, serveTLS(t, test.has), Options{ConfigurationOnly: true})
			i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.ID == test.id })
			if i < 0 {
				t.Fatal("it is not found")
			}
			if f := r.Findings[i]; f.Title == "" || f.Gain == "" || f.Do == "" || len(f.Evidence) == 0 {
				t.Errorf("it says %+v", f)
			}
		})
	}
}

// The certificate is judged for the name, and by the clock.
func TestCertificatesAreJudged(t *testing.T) {
	config := &tls.Config{Certificates: []tls.Certificate{certificate(t, devca.ECDSA)}}
	at := serveTLS(t, config)
	r := audited(t, at, Options{ConfigurationOnly: true})
	if len(r.Chains) != 1 || !r.Chains[0].Trusted || r.has("chain") || r.has("expires") {
		t.Errorf("%+v", r.Chains)
	}
	tests := []struct {
		id, says string
		at       Target
		o        Options
	}{
		{"chain", "other.test", Target{Address: at.Address, Name: "other.test"}, Options{}},
		{"chain", "not trusted", at, Options{Roots: x509.NewCertPool()}},
		{"chain", "expired", at, Options{Now: time.Now().Add(200 * 24 * time.Hour)}},
		{"expires", "in 10 days", at, Options{Now: time.Now().Add(79*24*time.Hour + 23*time.Hour)}},
	}
	for _, test := range tests {
		test.o.ConfigurationOnly = true
		r := audited(t, test.at, test.o)
		i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.ID == test.id })
		if i < 0 || !strings.Contains(strings.Join(r.Findings[i].Evidence, " "), test.says) {
			t.Errorf("%s (%s): %+v", test.id, test.says, r.Findings)
		}
	}
}

// What OpenSSL's server is told to take is what is found.
func TestScanFindsOpenSSLsConfiguration(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("no openssl")
	}
	at := opensslServer(t, certificate(t, devca.RSA), "-tls1_2", "-cipher", "ECDHE-RSA-CAMELLIA256-SHA384:DHE-RSA-AES128-SHA:ARIA128-GCM-SHA256@SECLEVEL=0",
		"-serverpref", "-curves", "P-384:brainpoolP256r1", "-legacy_renegotiation")
	r := audited(t, at, Options{ConfigurationOnly: true})
	compareVersion(t, r, wire.TLS12, []string{"TLS_ECDHE_RSA_WITH_CAMELLIA_256_CBC_SHA384", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_ARIA_128_GCM_SHA256"}, false)
	if r.Offers("TLS 1.3") || r.Offers("TLS 1.1") {
		t.Error("a version is found that is switched off")
	}
	if len(r.Groups) != 2 || r.Groups[1].Name != "brainpoolP256r1" {
		t.Errorf("groups %+v", r.Groups)
	}
	if len(r.DH) != 1 || !r.DH[0].Safe || r.DH[0].Known == "" {
		t.Errorf("DH %+v", r.DH)
	}
}

// The suites have the names that OpenSSL has for them.
func TestSuiteNames(t *testing.T) {
	out, err := exec.Command("openssl", "ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0").Output()
	if err != nil {
		t.Skip("no openssl")
	}
	n := 0
	for line := range strings.Lines(string(out)) {
		var a, b uint16
		var name string
		if _, err := fmt.Sscanf(line, "%v,%v - %s", &a, &b, &name); err != nil {
			continue
		}
		if n++; SuiteName(wire.CipherSuite(a<<8|b)) != name {
			t.Errorf("%02x%02x is %s, here %s", a, b, name, SuiteName(wire.CipherSuite(a<<8|b)))
		}
	}
	if n < 100 {
		t.Errorf("%d suites were compared", n)
	}
	if len(registry()) < 200 {
		t.Errorf("the registry has %d suites", len(registry()))
	}
}

// The moduli of RFC 3526 are computed, so they are checked against what they must be:
// safe primes, of the right length.
func TestKnownPrimesArePrime(t *testing.T) {
	for _, row := range []struct {
		bits uint
		add  int64
	}{{1024, 129093}, {1536, 741804}, {2048, 124476}} {
		p := piPrime(row.bits, row.add).Bytes()
		if r := describeDH(p, []byte{2}); r.Bits != int(row.bits) || !r.Safe || !strings.HasPrefix(r.Known, "RFC") {
			t.Errorf("%d bits: %+v", row.bits, r)
		}
	}
	if r := describeDH([]byte{0xff, 0xff, 0xff, 0xf1, 0x05}, []byte{2}); r.Prime {
		t.Errorf("%+v", r)
	}
}

// A server that is none is told apart from one that is bad.
func TestScanOfWhatIsNoServer(t *testing.T) {
	at := serve(t, func(c net.Conn) { fmt.Fprint(c, "220 mail.example.test ESMTP\r\n") })
	r, err := (&Prober{}).Scan(t.Context(), at, Options{})
	if err != nil || !strings.Contains(r.Failure, "220 mail") || len(r.Findings) > 0 || r.Connections != 1 {
		t.Errorf("%v, %+v", err, r)
	}
}
