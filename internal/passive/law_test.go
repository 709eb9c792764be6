package passive

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

var everyVersion = []wire.Version{wire.SSL30, wire.TLS10, wire.TLS11, wire.TLS12, wire.TLS13}

// weak has every switch that a suite or a version may need.
var weak = tls.Legacy{SSL30: true, SSL2Hello: true, DSSSigning: true, RSAKeyExchange: true, DES: true, TripleDES: true, RC4: true,
	NullCiphers: true, Anonymous: true, MD5: true}

const identity, sharedKey = "alice@example.com", "a key that both know"

// endsFor is what it takes for a suite in a version.
func endsFor(t testing.TB, s *suite.Suite, v wire.Version) *ends {
	t.Helper()
	key := map[suite.Auth]devca.KeyType{suite.AuthRSA: devca.RSA, suite.AuthDSS: devca.DSA}[s.Auth]
	if s.KeyExchange == wire.KeyExchangeRSAPSK {
		key = devca.RSA
	}
	p := newEnds(t, key)
	p.client.InsecureSkipVerify = key == devca.DSA // crypto/x509 knows no DSA
	if !s.KeyExchange.Certificate() && s.KeyExchange != wire.KeyExchangeNone {
		p.server.Certificates = nil
	}
	for _, c := range []*tls.Config{p.client, p.server} {
		c.Legacy = weak
		c.CipherSuites, c.MinVersion, c.MaxVersion = []uint16{uint16(s.ID)}, uint16(v), uint16(v)
	}
	p.client.PSK.Client = func(string) (string, []byte, error) { return identity, []byte(sharedKey), nil }
	p.server.PSK.Server = func(string) ([]byte, error) { return []byte(sharedKey), nil }
	p.server.PSK.Hint = "whose key?"
	return p
}

// everySuite runs f for every suite in every version that it exists in.
func everySuite(t *testing.T, f func(t *testing.T, s *suite.Suite, v wire.Version)) {
	for _, s := range suite.All() {
		for _, v := range everyVersion {
			if s.Allows(v) {
				t.Run(s.Name+"/"+v.String(), func(t *testing.T) {
					t.Parallel()
					f(t, s, v)
				})
			}
		}
	}
}

// With the key log a Listener sees what the client has seen.
func TestTheListenerSeesWhatTheClientSees(t *testing.T) {
	everySuite(t, func(t *testing.T, s *suite.Suite, v wire.Version) {
		h := endsFor(t, s, v).connect(t)
		got, sum := h.listen(logOf(h.log), nil)
		h.client.mustEqual(t, got)
		if sum.Version != v || sum.Suite != s.ID || !sum.Complete || sum.Missing != "" || sum.Server.Alert != "close_notify" {
			t.Errorf("%+v", sum)
		}
	})
}

// mustEqual holds what a listener saw against what the client saw, each direction by itself.
func (want *events) mustEqual(t *testing.T, got *events) {
	t.Helper()
	for _, d := range []trace.Direction{trace.Sent, trace.Received} {
		compare(t, d.String()+" records", of(want.records, d, dirOfRecord), of(got.records, d, dirOfRecord), func(a, b trace.Record) bool {
			return a.Epoch == b.Epoch && a.Seq == b.Seq && a.Type == b.Type && bytes.Equal(a.Wire, b.Wire) &&
				bytes.Equal(a.Plain, b.Plain) && a.Padding == b.Padding && b.Unopened == "" && b.Err == nil
		})
		ofClient, ofListener := of(want.messages, d, dirOfMessage), of(got.messages, d, dirOfMessage)
		if want.gaveUp {
			ofListener = ofListener[:min(len(ofListener), len(ofClient))]
		}
		compare(t, d.String()+" messages", ofClient, ofListener, func(a, b trace.Message) bool {
			return bytes.Equal(a.Raw, b.Raw) && a.PostHandshake == b.PostHandshake && a.SSL2 == b.SSL2
		})
		compare(t, d.String()+" alerts", of(want.alerts, d, dirOfAlert), of(got.alerts, d, dirOfAlert), func(a, b trace.Alert) bool {
			return a.Level == b.Level && a.Code == b.Code
		})
		compare(t, d.String()+" keys", of(want.keys, d, dirOfKeys), of(got.keys, d, dirOfKeys), func(a, b trace.Keys) bool {
			return a.Epoch == b.Epoch && a.Version == b.Version && a.Suite == b.Suite && a.Secret == b.Secret && a.Label == b.Label &&
				bytes.Equal(a.Key, b.Key) && bytes.Equal(a.IV, b.IV) && bytes.Equal(a.MAC, b.MAC) && a.EncryptThenMAC == b.EncryptThenMAC
		})
	}
	want.mustHaveSecrets(t, got)
}

// mustHaveSecrets: each secret that the listener reports is one of the client's, and those
// that follow from the key log are all there.
func (want *events) mustHaveSecrets(t *testing.T, got *events) {
	t.Helper()
	if want.gaveUp {
		return
	}
	byName := map[string][][]byte{}
	for _, s := range want.secrets {
		byName[s.Name] = append(byName[s.Name], s.Value)
	}
	seen := map[string]int{}
	for _, s := range got.secrets {
		if n := seen[s.Name]; n >= len(byName[s.Name]) || !bytes.Equal(s.Value, byName[s.Name][n]) {
			t.Errorf("the secret %s, number %d, is %x; the client's are %x", s.Name, n, s.Value, byName[s.Name])
		}
		seen[s.Name]++
	}
	for _, name := range []string{"master_secret", "key_block", "client_verify_data", "server_verify_data", "client_handshake_traffic_secret",
		"server_handshake_traffic_secret", "client_application_traffic_secret_0", "server_application_traffic_secret_1", "exporter_master_secret",
		"client_finished_key", "server_finished_key"} {
		if seen[name] != len(byName[name]) && (name != "master_secret" || len(byName["handshake_secret"]) == 0) {
			t.Errorf("the secret %s is reported %d times, and the client has reported it %d times", name, seen[name], len(byName[name]))
		}
	}
}

func dirOfRecord(x trace.Record) trace.Direction   { return x.Dir }
func dirOfMessage(x trace.Message) trace.Direction { return x.Dir }
func dirOfAlert(x trace.Alert) trace.Direction     { return x.Dir }
func dirOfKeys(x trace.Keys) trace.Direction       { return x.Dir }

func compare[T any](t *testing.T, what string, want, got []T, equal func(a, b T) bool) {
	t.Helper()
	if len(want) != len(got) {
		t.Errorf("%s: the client has %d, the listener %d", what, len(want), len(got))
	}
	for i := range min(len(want), len(got)) {
		if !equal(want[i], got[i]) {
			t.Errorf("%s, number %d:\nclient   %.1000s\nlistener %.1000s", what, i, fmt.Sprint(want[i]), fmt.Sprint(got[i]))
			return
		}
	}
}
