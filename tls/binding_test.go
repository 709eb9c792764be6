package tls

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"math"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// Both ends export the same bytes and have the same channel bindings, in full
// handshakes and in resumed ones; another connection has others.
func TestExportersAndBindings(t *testing.T) {
	for _, kind := range kinds {
		client, server := resumable(kind.version, kind.server)
		seen := map[string]bool{}
		for i := range 2 {
			c, s := mustConnect(t, client, server)
			bringTickets(t, c, s)
			if resumed := c.State().Resumption != "none"; resumed != (i == 1) {
				t.Fatalf("%s, connection %d: resumed: %v", kind.name, i, resumed)
			}
			ours, theirs := c.ConnectionState(), s.ConnectionState()
			for _, context := range [][]byte{nil, {}, {1}} {
				a, errA := ours.ExportKeyingMaterial("label", context, 40)
				b, errB := theirs.ExportKeyingMaterial("label", context, 40)
				if errA != nil || errB != nil || !bytes.Equal(a, b) {
					t.Errorf("%s: %x, %v; %x, %v", kind.name, a, errA, b, errB)
				}
				if without := kind.version == VersionTLS13 && context != nil && len(context) == 0; seen[string(a)] != without {
					t.Errorf("%s, connection %d, context %x: exported before: %v", kind.name, i, context, seen[string(a)])
				}
				seen[string(a)] = true
			}
			for _, binding := range []string{"tls-unique", "tls-exporter"} {
				a, errA := c.ChannelBinding(binding)
				b, errB := s.ChannelBinding(binding)
				if binding == "tls-unique" && kind.version == VersionTLS13 {
					if errA == nil || errB == nil || ours.TLSUnique != nil {
						t.Error("TLS 1.3 has a tls-unique")
					}
					continue
				}
				if errA != nil || errB != nil || !bytes.Equal(a, b) || seen[string(a)] {
					t.Errorf("%s, %s: %x, %v; %x, %v", kind.name, binding, a, errA, b, errB)
				}
				if seen[string(a)] = true; binding == "tls-unique" && (!bytes.Equal(ours.TLSUnique, a) || !bytes.Equal(theirs.TLSUnique, a)) {
					t.Errorf("TLSUnique is %x and %x", ours.TLSUnique, theirs.TLSUnique)
				}
			}
			if _, err := c.ChannelBinding("tls-invented"); err == nil {
				t.Error("an unknown channel binding")
			}
		}
	}
}

// tls-server-end-point is a hash of the server's certificate by the hash of its
// signature. RFC 5929 §4.1.
func TestServerEndPoint(t *testing.T) {
	for _, version := range bothVersions {
		for _, kind := range keyKinds {
			client, server := testPKI().client(), testPKI().server(kind)
			at(version, client, server)
			c, s := mustConnect(t, client, server)
			want := sha256.Sum256(server.Certificates[0].Certificate[0]) // the CA signs with P-256 and SHA-256
			for _, conn := range []*Conn{c, s} {
				if got, err := conn.ChannelBinding("tls-server-end-point"); err != nil || !bytes.Equal(got, want[:]) {
					t.Errorf("%s: %x, %v", kind, got, err)
				}
			}
		}
	}
	for issuer, hash := range map[string]crypto.Hash{"ecdsa-p384": crypto.SHA384, "ecdsa-p521": crypto.SHA512} {
		cert := authority(issuer).certificate("ecdsa-p256", &x509.Certificate{})
		client := testPKI().client()
		client.InsecureSkipVerify = true
		c, s := mustConnect(t, client, &Config{Certificates: []Certificate{cert}})
		h := hash.New()
		h.Write(cert.Certificate[0])
		for _, conn := range []*Conn{c, s} {
			if got, err := conn.ChannelBinding("tls-server-end-point"); err != nil || !bytes.Equal(got, h.Sum(nil)) {
				t.Errorf("%v: %x, %v", hash, got, err)
			}
		}
	}
}

// Where the server has shown no certificate there is no such binding, and none of an
// unknown kind.
func TestNoServerEndPoint(t *testing.T) {
	refused := func(conn *Conn, kind, why string) {
		t.Helper()
		if got, err := conn.ChannelBinding(kind); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("the %v has %x, %v", conn.role, got, err)
		}
	}
	client, server := forSuite(suite.ByID(wire.TLS_ECDH_anon_WITH_AES_128_CBC_SHA), wire.TLS12)
	c, s := mustConnect(t, client, server)
	for _, conn := range []*Conn{c, s} {
		refused(conn, "tls-server-end-point", "knows of no server certificate")
		refused(conn, "tls-server-start-point", "tls-server-start-point is not known")
	}
	for _, kind := range kinds {
		client, server := resumable(kind.version, kind.server)
		resumption(t, client, server)
		c, s := mustConnect(t, client, server)
		if _, err := c.ChannelBinding("tls-server-end-point"); err != nil {
			t.Errorf("%s: a client that remembers the certificate: %v", kind.name, err)
		}
		refused(s, "tls-server-end-point", "knows of no server certificate")
	}
}

// Without extended master secret two TLS 1.2 connections could have the same
// master secret, so nothing is derived from it. RFC 7627 §5.4.
func TestNothingIsExportedWithoutExtendedMasterSecret(t *testing.T) {
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	at(VersionTLS12, client, server)
	client.Legacy.NoExtendedMasterSecret = true
	c, s := mustConnect(t, client, server)
	for _, conn := range []*Conn{c, s} {
		state := conn.ConnectionState()
		if _, err := state.ExportKeyingMaterial("label", nil, 10); err == nil {
			t.Error("it exports")
		}
		for _, kind := range []string{"tls-unique", "tls-exporter"} {
			if _, err := conn.ChannelBinding(kind); err == nil {
				t.Errorf("it has %s", kind)
			}
		}
		if state.TLSUnique != nil || conn.State().ExtendedMasterSecret {
			t.Error("it has TLSUnique")
		}
	}
}

// What cannot be exported is an error, never a panic.
func TestExporterErrors(t *testing.T) {
	a, b := memoryPipe()
	fresh := Client(a, testPKI().client())
	state := fresh.ConnectionState()
	if _, err := state.ExportKeyingMaterial("label", nil, 10); err == nil || state.ServerName != "example.test" {
		t.Errorf("before the handshake: %v, %+v", err, state)
	}
	b.Close()
	for _, version := range bothVersions {
		client, server := testPKI().client(), testPKI().server("ecdsa-p256")
		at(version, client, server)
		server.WrapSession = func(cs ConnectionState, state *SessionState) ([]byte, error) {
			cs.ExportKeyingMaterial("label", nil, 10)
			return server.EncryptTicket(cs, state)
		}
		server.UnwrapSession = func(ticket []byte, cs ConnectionState) (*SessionState, error) {
			if _, err := cs.ExportKeyingMaterial("label", nil, 10); err == nil {
				t.Error("exported in the middle of the handshake")
			}
			return server.DecryptTicket(ticket, cs)
		}
		client.ClientSessionCache = NewLRUClientSessionCache(0)
		resumption(t, client, server)
		c, _ := mustConnect(t, client, server)
		state := c.ConnectionState()
		for _, length := range []int{-1, math.MinInt} {
			if _, err := state.ExportKeyingMaterial("label", nil, length); err == nil {
				t.Errorf("%d bytes exported", length)
			}
		}
		if _, err := state.ExportKeyingMaterial("label", make([]byte, 1<<16), 1); (err == nil) != (version == VersionTLS13) {
			t.Errorf("a context of 64 KiB: %v", err)
		}
	}
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	at(VersionTLS12, client, server)
	c, _ := mustConnect(t, client, server)
	state = c.ConnectionState()
	for _, label := range []string{"client finished", "server finished", "master secret", "key expansion", "extended master secret"} {
		if _, err := state.ExportKeyingMaterial(label, nil, 10); err == nil {
			t.Errorf("the protocol's own label %q exports", label)
		}
	}
}
