package diagnose_test

import (
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/tls"
)

// Where two sets miss each other, the trials ask for the server's, and say so if they did not reach
// to its end.
func TestTrialsLearnTheServersSet(t *testing.T) {
	ecdsa := []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256}
	for name, c := range map[string]struct {
		set     func(client, server *tls.Config)
		trials  int
		cause   string
		server  []string // in any order
		partial bool
	}{
		"versions": {set: func(client, server *tls.Config) {
			client.MaxVersion, server.MinVersion = tls.VersionTLS12, tls.VersionTLS13
		},
			cause: "no-common-version", server: []string{"TLS 1.3"}},
		"old versions": {set: func(client, server *tls.Config) {
			client.MinVersion, server.MinVersion, server.MaxVersion = tls.VersionTLS13, tls.VersionTLS11, tls.VersionTLS12
			server.CipherSuites = append(slices.Clone(ecdsa), tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA)
		}, cause: "no-common-version", server: []string{"TLS 1.2", "TLS 1.1"}},
		"versions, and two trials": {set: func(client, server *tls.Config) {
			client.MaxVersion, server.MinVersion = tls.VersionTLS12, tls.VersionTLS13
		},
			trials: 2, cause: "no-common-version", server: []string{"TLS 1.3"}, partial: true},
		"suites": {set: func(client, server *tls.Config) {
			client.MaxVersion, server.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
			client.CipherSuites, server.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, ecdsa
		}, cause: "no-common-suite", server: []string{"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"}},
		"groups": {set: func(client, server *tls.Config) {
			client.CurvePreferences, server.CurvePreferences = []tls.CurveID{tls.X25519}, []tls.CurveID{tls.CurveP384, tls.CurveP256}
		}, cause: "no-common-group", server: []string{"secp384r1", "secp256r1"}},
		"groups in TLS 1.2": {set: func(client, server *tls.Config) {
			server.MaxVersion = tls.VersionTLS12
			client.CurvePreferences, server.CurvePreferences = []tls.CurveID{tls.X25519}, []tls.CurveID{tls.CurveP384, tls.CurveP521}
		}, cause: "no-common-group", server: []string{"secp384r1", "secp521r1"}},
		"schemes": {set: func(client, _ *tls.Config) { client.SignatureSchemes = []tls.SignatureScheme{tls.PSSWithSHA256} },
			cause: "no-common-scheme", server: []string{"ecdsa_secp256r1_sha256"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPKI(t)
			scene := ordinary(p)
			c.set(scene.client, scene.server)
			s := newStreet(t)
			address := s.minds(func(*heard) bool { return false }, nil, scene.server)
			v := visit(t, scene.client, diagnose.Way{Trials: c.trials}, address)
			if v.Cause != c.cause || len(v.Offers) != 1 {
				t.Fatalf("%s: %+v, %+v", v.Cause, v.Offers, v.Trials)
			}
			o := v.Offers[0]
			if !slices.Equal(slices.Sorted(slices.Values(o.Server)), slices.Sorted(slices.Values(c.server))) || o.Partial != c.partial || len(o.Common) > 0 {
				t.Errorf("it has learned %+v; want %q, in part: %v", o, c.server, c.partial)
			}
			if n := s.connections() - 1; n > diagnose.MostTrials {
				t.Errorf("%d further connections were made", n)
			}
			for _, trial := range v.Trials {
				t.Logf("%d %s: %s", trial.Number, trial.Asks, trial.Answer)
			}
		})
	}
}
