package tls

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/session"
)

// Two Configs that share a cache share sessions only if nothing that matters differs:
// or one would be taken for the other, or trust whom the other trusts.
func TestConfigsThatShareACache(t *testing.T) {
	p := testPKI()
	showing := func(kind string) func(*CertificateRequestInfo) (*Certificate, error) {
		return func(*CertificateRequestInfo) (*Certificate, error) {
			cert := p.certs[kind]
			return &cert, nil
		}
	}
	sameRoots := x509.NewCertPool()
	sameRoots.AddCert(p.ca)
	for _, kind := range kinds {
		for _, test := range []struct {
			name   string
			change func(*Config)
			shares bool
		}{
			{"nothing", func(*Config) {}, true},
			{"what does not matter", func(c *Config) { c.HandshakeTimeout, c.Record.MaxFragment = time.Second, 512 }, true},
			{"another record_size_limit", func(c *Config) { c.Record.SizeLimit = 1000 }, true},
			{"another certificate", func(c *Config) { c.Certificates = []Certificate{p.certs["ed25519"]} }, false},
			{"no certificate", func(c *Config) { c.Certificates = nil }, false},
			{"a certificate more", func(c *Config) { c.Certificates = []Certificate{p.certs["ecdsa-p384"], p.certs["ed25519"]} }, false},
			{"a callback", func(c *Config) { c.GetClientCertificate = showing("ecdsa-p384") }, false},
			{"other roots", func(c *Config) { c.RootCAs = sameRoots }, false},
			{"no verification", func(c *Config) { c.InsecureSkipVerify = true }, false},
			{"other protocols", func(c *Config) { c.NextProtos = []string{"h2"} }, true},
			{"other versions", func(c *Config) { c.MinVersion, c.MaxVersion = VersionTLS10, VersionTLS13 }, false},
			{"another name", func(c *Config) { c.ServerName = "also.example.test" }, false},
		} {
			t.Run(kind.name+"/"+test.name, func(t *testing.T) {
				one, server := resumable(kind.version, kind.server)
				server.Certificates = []Certificate{p.named("ecdsa-p256", "both", "example.test", "also.example.test")}
				server.ClientAuth, server.ClientCAs = VerifyClientCertIfGiven, p.roots
				server.NextProtos = []string{"h2", "x"}
				one.NextProtos = []string{"x"}
				one.Certificates = []Certificate{p.certs["ecdsa-p384"]}
				two := one.Clone()
				test.change(two)
				resumption(t, one, server)
				want := "none"
				if test.shares {
					want = kind.name
				}
				if got := resumption(t, two, server); got != want {
					t.Errorf("the other is resumed by %s", got)
				}
				for _, c := range []*Config{one, two, one.Clone(), two.Clone()} { // neither has put out the other
					if got := resumption(t, c, server); got != kind.name {
						t.Errorf("resumed by %s", got)
					}
				}
			})
		}
	}
	// Functions of the same code with other things captured are not the same.
	client, server := resumable(VersionTLS13, func(*Config) {})
	server.ClientAuth, server.ClientCAs = RequireAndVerifyClientCert, p.roots
	for i, kind := range []string{"ecdsa-p384", "ed25519", "rsa2048"} {
		c := client.Clone()
		c.GetClientCertificate = showing(kind)
		for j, want := range []string{"none", "psk", "psk"} {
			if got := resumption(t, c.Clone(), server); got != want {
				t.Errorf("client %d, connection %d: resumed by %s, want %s", i, j, got, want)
			}
			_, s := mustConnect(t, c.Clone(), server) // takes a ticket and brings none
			if shownBy(s) != kind {
				t.Errorf("%s is taken for %s", kind, shownBy(s))
			}
			resumption(t, c.Clone(), server)
		}
	}
}

// The ticket keys of a fleet change at their moments, on servers that were told at
// different times, and no ticket is lost. What operators may see tells how far it is.
func TestTicketKeySchedule(t *testing.T) {
	for _, kind := range kinds[1:] {
		t.Run(kind.name, func(t *testing.T) {
			client, one := resumable(kind.version, kind.server)
			two := testPKI().server("ecdsa-p256")
			start := time.Now()
			now := start
			for _, c := range []*Config{client, one, two} {
				c.Time = func() time.Time { return now }
			}
			client.InsecureSkipVerify = true // the certificates are of today
			key := func(i byte, from time.Duration) session.TicketKey {
				return session.TicketKey{Secret: [32]byte{i}, From: start.Add(from)}
			}
			set := func(c *Config, keys ...session.TicketKey) {
				t.Helper()
				if err := c.SetTicketKeySchedule(keys); err != nil {
					t.Fatal(err)
				}
			}
			set(one, key(1, 0))
			set(two, key(1, 0), key(2, 12*time.Hour))
			resumption(t, client, one)
			if got := resumption(t, client, two); got != kind.name {
				t.Errorf("the second server: resumed by %s", got)
			}
			set(one, key(1, 0), key(2, 12*time.Hour))
			if infos := one.TicketKeys(); len(infos) != 2 || infos[0].Stage != session.StagePublished || infos[1].Stage != session.StageSealing || infos[1].Sealed != map[string]uint64{"ticket": 1, "psk": 2}[kind.name] {
				t.Errorf("%+v", infos)
			}
			now = start.Add(12*time.Hour + time.Minute)
			if got := resumption(t, client, one); got != kind.name {
				t.Errorf("after the change: resumed by %s", got)
			}
			if infos := one.TicketKeys(); infos[0].Stage != session.StageSealing || infos[1].Stage != session.StageOpening {
				t.Errorf("%+v", infos)
			}
			for name, keys := range map[string][]session.TicketKey{"without keys": nil, "all zeros": {{From: start}}} {
				if err := one.SetTicketKeySchedule(keys); err == nil || !strings.Contains(err.Error(), name) {
					t.Errorf("%s: %v", name, err)
				}
			}
			if got := resumption(t, client, one); got != kind.name {
				t.Errorf("a schedule that was refused has changed something: resumed by %s", got)
			}
			now = start.Add(40 * time.Hour) // the first key is wiped, the session expired
			if infos := one.TicketKeys(); len(infos) != 1 {
				t.Errorf("%+v", infos)
			}
		})
	}
}
